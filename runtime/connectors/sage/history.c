/* history.c - why a sales order is no longer there. It leaves its table when it is invoiced in full and when it is deleted; the history, where a company
 * keeps one, says which of the two (facts/sage-100.md 5, 9.6): C completed; X deleted, Z a deleted quote. Without an answer nothing is concluded but that
 * the order is gone. */
#include "connectors/sage/sage.h"

static enum source_sign sign_of(const struct value *status)
{
    if (status->kind != V_TEXT) return SIGN_NONE;
    struct str s = value_str(status);
    return str_is(s, "C") ? SIGN_COMPLETED : str_is(s, "X") || str_is(s, "Z") ? SIGN_DELETED : SIGN_NONE;
}

enum err sage100__signs(struct source *s, const struct sage_entity *e, struct str company, struct arena *a, struct source_page *out, struct fault *f)
{
    if (strcmp(e->table, "SO_SalesOrderHeader") != 0 || out->nmissing == 0 || !s->set.agent_url) return ERR_OK;
    struct type text = type_text(1, 1);
    text.optional = true;
    const struct source_column column = {STR("OrderStatus"), text, false};
    const struct str key = STR("SalesOrderNo");
    const struct source_query q = {.entity = STR("SO_SalesOrderHistoryHeader"), .company = company, .key_columns = &key, .nkeys = 1, .columns = &column, .ncolumns = 1};
    struct source_page history = {0};
    struct sage_key_set asked;
    enum err err = sage100__agent_fetch(s, sage100__entity(q.entity), &q, out->missing, out->nmissing, a, &history, f);
    if (err == ERR_UNSUPPORTED || err == ERR_PERMISSION) return ERR_OK;      /* no history here, or not for us */
    if (err != ERR_OK) return err;
    unsigned char *sign = ARENA_ARRAY(a, unsigned char, out->nmissing);
    memset(sign, SIGN_NONE, out->nmissing);
    sage100__key_set(&asked, out->missing, out->nmissing, a);
    for (size_t i = 0; i < history.nrows; i++) {
        size_t at = sage100__key_find(&asked, &history.rows[i].key);
        if (at != SIZE_MAX && !history.rows[i].violation) sign[at] = (unsigned char)sign_of(&history.rows[i].cols[0]);
    }
    out->missing_sign = sign;
    return ERR_OK;
}
