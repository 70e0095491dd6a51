/* parser.y - the grammar of the .mlc language, LALR(1) without conflicts. An action is one constructor call; the tree is dsl/ast.def.
 *
 * What keeps it free of conflicts:
 *   - a clause, field line, setting or member begins with a word, never with ( [ or -, so none is a continuation of the one before;
 *   - a bracket that touches the name before it is another token (CALL_OPEN, INDEX_OPEN) than one that stands alone;
 *   - words of the grammar are reserved, arms are parted by commas.
 *
 * Recovery: dsl/recover.c looks at an error with the whole token array before it, picks where reading goes on and moves the token
 * position there; the `error` productions only drop the token that did not fit (RESUME). */
%require "3.8"
%define api.pure full
%define api.prefix {mlc_}
%define api.token.prefix {TOK_}
%define api.location.type {struct span}
%define api.value.type union
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%parse-param {struct parser *p}
%lex-param {struct parser *p}

%code requires {
#include "dsl/parser.h"
}
%code provides {
int mlc_lex(MLC_STYPE *value, MLC_LTYPE *at, struct parser *p);
void mlc_error(const MLC_LTYPE *at, struct parser *p, const char *what);
}
%code {
#define YYMAXDEPTH 20000
#define YYLLOC_DEFAULT(cur, rhs, n) ((cur) = parse__join(&(rhs)[0], (size_t)(n)))
#define MAKE(kind, type, at, init) parse__node(p, ast_make(p->env.arena, kind, (at), init, sizeof(type)))
#define NEW(KIND, type, at, ...) MAKE(AST_##KIND, struct ast_##type, at, (&(const struct ast_##type){__VA_ARGS__}))
#define NEW_BARE(KIND, type, at) MAKE(AST_##KIND, struct ast_##type, at, (&(const struct ast_##type){.base = {.depth = 0}}))
#define RESUME do { if (p->quiet) YYABORT; yyclearin; yyerrok; } while (0)
#define NO_NAME ((struct ast_name){{0, 0}, {0, 0, 0}})
#define NO_LIST ((struct ast_list){0, 0, 0})
#define BINARY(o, at, l, r) NEW(BINARY, binary, at, .op = (o), .left = (l), .right = (r))
}

%token END 0 "the end of the file"
%token <struct ast_name> NAME "a name" ATTR "an @attribute"
%token <struct ast *> TEXT "a text" TEMPLATE "a text with {names}" NUMBER "a number" DURATION "a time such as 15m" PERCENT "a share such as 5%" DATE "a date"
%token EQ "==" NE "!=" LE "<=" GE ">=" ARROW "=>" OTHERWISE "??" DOTDOT ".."
%token CALL_OPEN "( of a call" INDEX_OPEN "[ of a look-up"
%token ADOPT "adopt" AND "and" BY "by" DELETE "delete" EACH "each" ELSE "else" ENTITY "entity" EVERY "every" EXPECT "expect" EXTEND "extend"
%token FALSE "false" FILL "fill" FIND "find" FLOW "flow" FN "fn" FROM "from" FUSE "fuse" GIVEN "given" GUARD "guard" IMPORT "import" IN "in"
%token INTO "into" KEEP "keep" KEY "key" LEAVE "leave" LET "let" MATCH "match" MLC "mlc" MOVED "moved" NOT "not" NULL "null" OF "of" ON "on"
%token ONCE "once" ONE "one" OR "or" PER "per" REF "ref" REJECT "reject" REREAD "reread" SET "set" SOURCE "source" SPEC "spec" SYSTEM "system"
%token TABLE "table" TARGET "target" TEST "test" TO "to" TRIGGER "trigger" TRUE "true" VIA "via" WHEN "when"

%type <struct ast_name> name_or_text via_door
%type <struct ast *> item spec import system side endpoint entity extend table fn flow test expect
%type <struct ast *> column column_or_group type type_base type_arg attr attr_arg fallback setting value literal whole_range time_range
%type <struct ast *> arm_literal arm_match arm_when table_else param place target clause line_clause field line_field set set_value
%type <struct ast *> expr disjunction conjunction negation comparison otherwise sum product sign postfix primary path link condition each_when
%type <struct ast_list> items sides columns columns_or_groups type_args attrs attr_args settings arms_literal arms_match
%type <struct ast_list> arms_when patterns type_args_some attr_args_some conditions_some arms_literal_some arms_match_some arms_when_some
%type <struct ast_list> params params_some places clauses line_clauses sets given names args args_some conditions
%type <int> side_word mode event

%%

file: edition items

edition:
    MLC NUMBER { parse__edition(p, @$, $2); }
  | %empty     { parse__no_edition(p); }

items:
    %empty       { $$ = NO_LIST; }
  | items item   { $$ = p->items = ast_append($1, $2); }
  | items error  { $$ = $1; RESUME; }

item: spec | import | system | endpoint | entity | extend | table | fn | flow | test

spec:   SPEC TEXT    { $$ = NEW(SPEC, spec, @$, .title = AST_AS(text, $2)->value); }
import: IMPORT NAME  { $$ = NEW(IMPORT, import, @$, .name = $2); }
      | IMPORT TEXT  { $$ = NEW(IMPORT_FILE, import_file, @$, .file = AST_AS(text, $2)->value); }

/* ---- systems, endpoints ---- */
system: SYSTEM NAME attrs '{' sides '}' { $$ = NEW(SYSTEM, system, @$, .name = $2, .attrs = $3, .sides = $5); }

sides:
    %empty       { $$ = NO_LIST; }
  | sides side   { $$ = ast_append($1, $2); }
  | sides error  { $$ = $1; RESUME; }

side: side_word '{' columns_or_groups '}' { $$ = NEW(SIDE, side, @$, .target = $1, .members = $3); }

side_word: SOURCE { $$ = false; } | TARGET { $$ = true; }

columns_or_groups:
    %empty                            { $$ = NO_LIST; }
  | columns_or_groups column_or_group { $$ = ast_append($1, $2); }
  | columns_or_groups error           { $$ = $1; RESUME; }

column_or_group:
    column
  | NAME NAME '{' columns '}' { $$ = NEW(COLUMN_GROUP, column_group, @$, .word = $1, .name = $2, .members = $4); }

endpoint: side_word NAME ':' NAME '{' settings '}'
    { $$ = NEW(ENDPOINT, endpoint, @$, .target = $1, .name = $2, .system = $4, .settings = $6); }

settings:
    %empty            { $$ = NO_LIST; }
  | settings setting  { $$ = ast_append($1, $2); }
  | settings error    { $$ = $1; RESUME; }

setting:
    NAME '=' value              { $$ = NEW(SETTING, setting, @$, .name = $1, .value = $3); }
  | NAME NAME '{' settings '}'  { $$ = NEW(SETTING_GROUP, setting_group, @$, .word = $1, .name = $2, .settings = $4); }
  | NAME NUMBER PER DURATION    { $$ = NEW(QUOTA, quota, @$, .name = $1, .count = $2, .per = $4); }

value:
    literal
  | DURATION
  | PERCENT
  | whole_range
  | time_range
  | NAME                     { $$ = NEW(CHOICE, choice, @$, .name = $1); }
  | NAME CALL_OPEN TEXT ')'  { $$ = NEW(INPUT, input, @$, .how = $1, .what = $3); }

whole_range: NUMBER DOTDOT NUMBER     { $$ = NEW(RANGE, range, @$, .lo = $1, .hi = $3); }
time_range:  DURATION DOTDOT DURATION { $$ = NEW(RANGE, range, @$, .lo = $1, .hi = $3); }

literal:
    TEXT
  | NUMBER
  | '-' NUMBER { $$ = parse__negate(p, @$, $2); }
  | TRUE       { $$ = NEW(BOOL, bool, @$, .value = true); }
  | FALSE      { $$ = NEW(BOOL, bool, @$, .value = false); }
  | NULL       { $$ = NEW_BARE(NULL, null, @$); }
  | DATE

/* ---- schemas ---- */
entity:
    ENTITY NAME attrs '{' columns '}'          { $$ = NEW(ENTITY, entity, @$, .name = $2, .attrs = $3, .members = $5); }
  | ENTITY NAME '.' NAME attrs '{' columns '}' { $$ = NEW(ENTITY, entity, @$, .endpoint = $2, .name = $4, .attrs = $5, .members = $7); }

extend: EXTEND NAME '.' NAME '{' columns '}'   { $$ = NEW(EXTEND, extend, @$, .endpoint = $2, .entity = $4, .members = $6); }

columns:
    %empty          { $$ = NO_LIST; }
  | columns column  { $$ = ast_append($1, $2); }
  | columns error   { $$ = $1; RESUME; }

column:
    NAME ':' type fallback attrs      { $$ = NEW(COLUMN, column, @$, .name = $1, .type = $3, .fallback = $4, .attrs = $5); }
  | KEY NAME ':' type fallback attrs  { $$ = NEW(COLUMN, column, @$, .key = true, .name = $2, .type = $4, .fallback = $5, .attrs = $6); }

fallback: %empty { $$ = NULL; }  | '=' value { $$ = $2; }

type:
    type_base
  | type_base '?' { $$ = parse__optional(p, @$, $1); }

type_base:
    NAME                          { $$ = NEW(TYPE, type, @$, .name = $1); }
  | NAME CALL_OPEN type_args ')'  { $$ = NEW(TYPE, type, @$, .name = $1, .args = $3); }
  | ONE OF '(' type_args ')'      { $$ = NEW(TYPE, type, @$, .name = parse__one_of(@1, @2), .args = $4); }

type_args: type_args_some | type_args_some ','
type_args_some:
    type_arg                     { $$ = ast_append(NO_LIST, $1); }
  | type_args_some ',' type_arg  { $$ = ast_append($1, $3); }

type_arg: NUMBER | TEXT | whole_range | DURATION | time_range | NAME { $$ = NEW(CHOICE, choice, @$, .name = $1); }

attrs: %empty { $$ = NO_LIST; } | attrs attr { $$ = ast_append($1, $2); }

attr:
    ATTR                          { $$ = NEW(ATTR, attr, @$, .name = $1); }
  | ATTR CALL_OPEN attr_args ')'  { $$ = NEW(ATTR, attr, @$, .name = $1, .args = $3); }

attr_args: attr_args_some | attr_args_some ','
attr_args_some:
    attr_arg                     { $$ = ast_append(NO_LIST, $1); }
  | attr_args_some ',' attr_arg  { $$ = ast_append($1, $3); }

attr_arg: value | NAME '=' value { $$ = NEW(ATTR_PAIR, attr_pair, @$, .name = $1, .value = $3); }

/* ---- tables, functions ---- */
table:
    TABLE NAME '{' arms_literal '}' { $$ = NEW(TABLE, table, @$, .name = $2, .arms = $4); }
  | TABLE NAME FROM TEXT '(' name_or_text ARROW name_or_text table_else ')'
    { $$ = NEW(TABLE_FILE, table_file, @$, .name = $2, .file = $4, .from = $6, .to = $8, .otherwise = $9); }

name_or_text: NAME | TEXT { $$ = (struct ast_name){AST_AS(text, $1)->value, @1}; }
table_else: %empty { $$ = NULL; } | ',' { $$ = NULL; } | ',' ELSE ARROW literal { $$ = $4; } | ',' ELSE ARROW literal ',' { $$ = $4; }

arms_literal: arms_literal_some | arms_literal_some ','
arms_literal_some:
    arm_literal                        { $$ = ast_append(NO_LIST, $1); }
  | arms_literal_some ',' arm_literal  { $$ = ast_append($1, $3); }

arm_literal:
    patterns ARROW literal  { $$ = NEW(ARM, arm, @$, .patterns = $1, .value = $3); }
  | ELSE ARROW literal      { $$ = NEW(ARM, arm, @$, .otherwise = true, .value = $3); }
  | error                   { $$ = NULL; RESUME; }

patterns:
    literal               { $$ = ast_append(NO_LIST, $1); }
  | patterns '|' literal  { $$ = ast_append($1, $3); }

fn: FN NAME CALL_OPEN params ')' '=' expr { $$ = NEW(FN, fn, @$, .name = $2, .params = $4, .body = $7); }

params: %empty { $$ = NO_LIST; } | params_some | params_some ','
params_some:
    param                  { $$ = ast_append(NO_LIST, $1); }
  | params_some ',' param  { $$ = ast_append($1, $3); }
param: NAME ':' type       { $$ = NEW(PARAM, param, @$, .name = $1, .type = $3); }

/* ---- flows ---- */
flow: FLOW NAME FROM places via_door target '{' clauses '}'
    { $$ = NEW(FLOW, flow, @$, .name = $2, .from = $4, .via = $5, .to = $6, .clauses = $8); }

places:
    place             { $$ = ast_append(NO_LIST, $1); }
  | places ',' place  { $$ = ast_append($1, $3); }
place: NAME '.' NAME  { $$ = NEW(PLACE, place, @$, .endpoint = $1, .entity = $3); }
via_door: %empty { $$ = NO_NAME; } | VIA NAME { $$ = $2; }
target: TO place { $$ = $2; } | INTO NAME CALL_OPEN args ')' { $$ = NEW(INTO, into, @$, .flow = $2, .args = $4); }

clauses:
    %empty          { $$ = NO_LIST; }
  | clauses clause  { $$ = ast_append($1, $2); }
  | clauses error   { $$ = $1; RESUME; }

clause:
    EVERY DURATION          { $$ = NEW(EVERY, every, @$, .period = $2); }
  | REREAD EVERY DURATION   { $$ = NEW(REREAD, reread, @$, .period = $3); }
  | KEY NAME                { $$ = NEW(KEY, key, @$, .field = $2); }
  | KEY NAME '=' expr       { $$ = NEW(KEY, key, @$, .field = $2, .value = $4); }
  | ADOPT BY NAME EQ otherwise { $$ = NEW(ADOPT, adopt, @$, .field = $3, .value = $5); }
  | WHEN expr               { $$ = NEW(WHEN, when, @$, .condition = $2); }
  | ON event SET '{' sets '}' { $$ = NEW(ON, on, @$, .event = $2, .sets = $5); }
  | FUSE NUMBER             { $$ = NEW(FUSE, fuse, @$, .count = $2); }
  | FUSE PERCENT            { $$ = NEW(FUSE, fuse, @$, .percent = $2); }
  | FUSE NUMBER OR PERCENT  { $$ = NEW(FUSE, fuse, @$, .count = $2, .percent = $4); }
  | FUSE PERCENT OR NUMBER  { $$ = NEW(FUSE, fuse, @$, .count = $4, .percent = $2); }
  | GUARD                   { $$ = NEW_BARE(GUARD, guard, @$); }
  | TRIGGER names           { $$ = NEW(TRIGGER, trigger, @$, .what = $2); }
  | MOVED FROM NAME         { $$ = NEW(MOVED, moved, @$, .from = $3); }
  | field

event: LEAVE { $$ = EVENT_LEAVE; } | DELETE { $$ = EVENT_DELETE; }
names:
    NAME            { $$ = ast_append(NO_LIST, NEW(CHOICE, choice, @1, .name = $1)); }
  | names ',' NAME  { $$ = ast_append($1, NEW(CHOICE, choice, @3, .name = $3)); }

field: line_field | mode line_field { $$ = parse__mode(p, @$, $1, $2); }
     | LET NAME '=' expr { $$ = NEW(LET, let, @$, .name = $2, .value = $4); }
line_field: NAME '=' expr { $$ = NEW(FIELD, field, @$, .mode = MODE_SET, .name = $1, .value = $3); }
mode: ONCE { $$ = MODE_ONCE; } | FILL { $$ = MODE_FILL; }

sets:
    %empty      { $$ = NO_LIST; }
  | sets set    { $$ = ast_append($1, $2); }
  | sets error  { $$ = $1; RESUME; }
set:
    NAME '=' set_value     { $$ = NEW(ASSIGN, assign, @$, .name = $1, .value = $3); }
  | NAME '{' sets '}'      { $$ = NEW(ROW, row, @$, .name = $1, .sets = $3); }
set_value: literal | link

/* ---- tests ---- */
test: TEST TEXT OF NAME '{' given EXPECT expect '}'
    { $$ = NEW(TEST, test, @$, .title = AST_AS(text, $2)->value, .flow = $4, .given = $6, .expect = $8); }
given: GIVEN '{' sets '}' { $$ = $3; }
expect:
    '{' sets '}'  { $$ = NEW(EXPECT, expect, @$, .sets = $2); }
  | REJECT TEXT   { $$ = NEW(REJECT, reject, @$, .why = AST_AS(text, $2)->value); }
  | LEAVE         { $$ = NEW_BARE(LEAVE, leave, @$); }

/* ---- expressions: or, and, not, comparison, ??, + -, * /, sign ---- */
expr: disjunction

disjunction: conjunction | disjunction OR conjunction { $$ = BINARY(OP_OR, @$, $1, $3); }
conjunction: negation | conjunction AND negation      { $$ = BINARY(OP_AND, @$, $1, $3); }
negation: comparison | NOT negation                   { $$ = NEW(UNARY, unary, @$, .op = OP_NOT, .value = $2); }
comparison:
    otherwise
  | otherwise EQ otherwise   { $$ = BINARY(OP_EQ, @$, $1, $3); }
  | otherwise NE otherwise   { $$ = BINARY(OP_NE, @$, $1, $3); }
  | otherwise '<' otherwise  { $$ = BINARY(OP_LT, @$, $1, $3); }
  | otherwise LE otherwise   { $$ = BINARY(OP_LE, @$, $1, $3); }
  | otherwise '>' otherwise  { $$ = BINARY(OP_GT, @$, $1, $3); }
  | otherwise GE otherwise   { $$ = BINARY(OP_GE, @$, $1, $3); }
otherwise: sum | sum OTHERWISE otherwise  { $$ = BINARY(OP_ELSE, @$, $1, $3); }
sum: product | sum '+' product            { $$ = BINARY(OP_ADD, @$, $1, $3); }
             | sum '-' product            { $$ = BINARY(OP_SUB, @$, $1, $3); }
product: sign | product '*' sign          { $$ = BINARY(OP_MUL, @$, $1, $3); }
              | product '/' sign          { $$ = BINARY(OP_DIV, @$, $1, $3); }
sign: primary | '-' sign                  { $$ = parse__negate(p, @$, $2); }

primary:
    TEXT | TEMPLATE | NUMBER | DATE
  | TRUE         { $$ = NEW(BOOL, bool, @$, .value = true); }
  | FALSE        { $$ = NEW(BOOL, bool, @$, .value = false); }
  | NULL         { $$ = NEW_BARE(NULL, null, @$); }
  | KEEP         { $$ = NEW_BARE(KEEP, keep, @$); }
  | REJECT TEXT  { $$ = NEW(REJECT, reject, @$, .why = AST_AS(text, $2)->value); }
  | postfix
  | link
  | MATCH '{' arms_when '}'        { $$ = NEW(MATCH, match, @$, .arms = $3); }
  | MATCH expr '{' arms_match '}'  { $$ = NEW(MATCH, match, @$, .subject = $2, .arms = $4); }
  | EACH NAME IN path each_when '{' line_clauses '}'
    { $$ = NEW(EACH, each, @$, .name = $2, .list = $4, .when = $5, .clauses = $7); }

postfix:
    NAME                      { $$ = NEW(USE, use, @$, .name = $1); }
  | NAME INDEX_OPEN expr ']'  { $$ = NEW(INDEX, index, @$, .table = $1, .key = $3); }
  | NAME CALL_OPEN args ')'   { $$ = NEW(CALL, call, @$, .name = $1, .args = $3); }
  | '(' expr ')'              { $$ = $2; }
  | postfix '.' NAME          { $$ = NEW(MEMBER, member, @$, .of = $1, .name = $3); }

path:
    NAME           { $$ = NEW(USE, use, @$, .name = $1); }
  | path '.' NAME  { $$ = NEW(MEMBER, member, @$, .of = $1, .name = $3); }

link:
    REF NAME CALL_OPEN args ')'                  { $$ = NEW(REF, ref, @$, .flow = $2, .args = $4); }
  | FIND NAME '.' NAME CALL_OPEN conditions ')'  { $$ = NEW(FIND, find, @$, .endpoint = $2, .module = $4, .conditions = $6); }

conditions: conditions_some | conditions_some ','
conditions_some:
    condition                      { $$ = ast_append(NO_LIST, $1); }
  | conditions_some ',' condition  { $$ = ast_append($1, $3); }
condition: NAME '=' expr      { $$ = NEW(CONDITION, condition, @$, .field = $1, .value = $3); }

args: %empty { $$ = NO_LIST; } | args_some | args_some ','
args_some:
    expr                { $$ = ast_append(NO_LIST, $1); }
  | args_some ',' expr  { $$ = ast_append($1, $3); }

arms_when: arms_when_some | arms_when_some ','
arms_when_some:
    arm_when                     { $$ = ast_append(NO_LIST, $1); }
  | arms_when_some ',' arm_when  { $$ = ast_append($1, $3); }
arm_when:
    expr ARROW expr  { $$ = NEW(ARM, arm, @$, .patterns = ast_append(NO_LIST, $1), .value = $3); }
  | ELSE ARROW expr  { $$ = NEW(ARM, arm, @$, .otherwise = true, .value = $3); }
  | error            { $$ = NULL; RESUME; }

arms_match: arms_match_some | arms_match_some ','
arms_match_some:
    arm_match                      { $$ = ast_append(NO_LIST, $1); }
  | arms_match_some ',' arm_match  { $$ = ast_append($1, $3); }
arm_match:
    patterns ARROW expr  { $$ = NEW(ARM, arm, @$, .patterns = $1, .value = $3); }
  | ELSE ARROW expr      { $$ = NEW(ARM, arm, @$, .otherwise = true, .value = $3); }
  | error                { $$ = NULL; RESUME; }

each_when: %empty { $$ = NULL; } | WHEN expr { $$ = $2; }
line_clauses:
    %empty                    { $$ = NO_LIST; }
  | line_clauses line_clause  { $$ = ast_append($1, $2); }
  | line_clauses error        { $$ = $1; RESUME; }
line_clause: KEY expr { $$ = NEW(LINE_KEY, line_key, @$, .value = $2); } | field

%%

/* Bison's view of an error, as parse__syntax_error wants it: the tokens that would have fitted. */
static int yyreport_syntax_error(const yypcontext_t *ctx, struct parser *p)
{
    yysymbol_kind_t kinds[YYNTOKENS];
    const char *names[YYNTOKENS];
    int n = yypcontext_expected_tokens(ctx, kinds, YYNTOKENS);
    for (int i = 0; i < n; i++)
        names[i] = yysymbol_name(kinds[i]);
    parse__syntax_error(p, names, n < 0 ? 0 : (size_t)n);
    return 0;
}
