/* file_value.h - values in the lines of a file target, and the rows of a list; private to this connector. */
#ifndef CONNECTORS_FILE_VALUE_H
#define CONNECTORS_FILE_VALUE_H
#include "connectors/connector.h"
#include "value/json.h"

/* The next value: plain, {"id":".."} or an array of objects with such values, which becomes a list whose columns are "id" and all that a row names. */
bool file_value_read(struct json_scanner *s, struct arena *a, struct value *out);
/* The rows of a list after a write (connector.h says what its columns mean): rows that are not named stay, as in Zoho; a new row gets an id that begins
 * with its record's. False: a row is named that is not there. */
bool file_value_merge(const struct value *have, const struct value *in, struct str record, struct arena *a, struct value *out);
#endif
