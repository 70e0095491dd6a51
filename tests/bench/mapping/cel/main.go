// CEL: reads JSON lines, evaluates one expression that gives the record, writes JSON lines. CEL has no function for the case of letters beyond ASCII nor one
// that drops members: title, upper, lower, blank and compact are added here, as a program around it would.
package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"log"
	"os"
	"reflect"
	"strings"
	"unicode"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
)

//go:embed map.cel
var source string

func title(s string) string {
	out, first := []rune(s), true
	for i, r := range out {
		letter := unicode.IsLetter(r)
		if letter && first {
			out[i] = unicode.ToUpper(r)
		} else if letter {
			out[i] = unicode.ToLower(r)
		}
		first = !letter
	}
	return string(out)
}

func text(name string, f func(string) string) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_string", []*cel.Type{cel.StringType}, cel.StringType,
		cel.UnaryBinding(func(v ref.Val) ref.Val { return types.String(f(string(v.(types.String)))) })))
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func main() {
	env := must(cel.NewEnv(cel.Variable("r", cel.MapType(cel.StringType, cel.StringType)), ext.Strings(), ext.Math(), ext.Bindings(),
		text("title", title), text("upper", strings.ToUpper), text("lower", strings.ToLower),
		text("collapse", func(s string) string { return strings.Join(strings.Fields(s), " ") }),
		text("digits", func(s string) string {
			return strings.Map(func(r rune) rune {
				if r < '0' || r > '9' {
					return -1
				}
				return r
			}, s)
		})))
	ast, issues := env.Compile(source)
	if issues.Err() != nil {
		log.Fatal(issues.Err())
	}
	program := must(env.Program(ast, cel.EvalOptions(cel.OptOptimize)))
	in, out := bufio.NewScanner(os.Stdin), bufio.NewWriterSize(os.Stdout, 1<<16)
	in.Buffer(nil, 1<<20)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	record := reflect.TypeOf(map[string]any{})
	for in.Scan() {
		row := map[string]string{}
		if err := json.Unmarshal(in.Bytes(), &row); err != nil {
			log.Fatal(err)
		}
		value, _, err := program.Eval(map[string]any{"r": row})
		if err != nil {
			log.Fatal(err)
		}
		made := must(value.ConvertToNative(record)).(map[string]any)
		for k, v := range made {
			if v == "" {
				delete(made, k)
			}
		}
		if err := encoder.Encode(made); err != nil {
			log.Fatal(err)
		}
	}
	if err := in.Err(); err != nil {
		log.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}
