/*
 * soap.h: what the files of the SOAP door share.
 *
 *     soap.c       POST: action -> wrapper -> parameters -> logon, company, rights -> row -> envelope; faults
 *     soap_wsdl.c  GET: WSDL and its schemas, from the same tables
 *     soap_type.c  the data contracts: members in contract order, their schema and their values
 */
#ifndef SAGE_SOAP_H
#define SAGE_SOAP_H

#include "private.h"

enum { SAGE_OP_PARAMETERS_MAX = 5 };

enum sage_soap_type {
    SAGE_SOAP_CONTRACT_INFORMATION,
    SAGE_SOAP_CUSTOMER,
    SAGE_SOAP_CONTACT,
    SAGE_SOAP_ORDER,
    SAGE_SOAP_ORDER_LINE,
    SAGE_SOAP_CUSTOMER_KEYS, // lists of an add-on
    SAGE_SOAP_CONTACT_KEYS,
    SAGE_SOAP_ORDER_KEYS,
    SAGE_SOAP_TEXT
};

struct sage_op {
    enum sage_endpoint at;
    const char *name;
    const char *parameters; // names parted by spaces
    enum sage_soap_type result;
};

extern const struct sage_op sage__ops[];
extern const size_t sage__nops;

bool sage__op_offered(const struct sage_sim *, const struct sage_op *);
// The name of the i-th parameter; 0 when there are fewer. A parameter named logon has the type Logon, others are text.
size_t sage__op_parameter(const struct sage_op *, int i, const char **name);
void sage__op_action(struct sage_buf *, const struct sage_sim *, const struct sage_op *);
const char *sage__soap_type_name(enum sage_soap_type); // NULL for plain text
// The keys of a table, as its list names them; prefix a. An order's key is a plain string of an array of strings.
void sage__soap_keys(struct sage_buf *, struct sage_resource *, enum sage_soap_type);

// Members of logon in the order of the schema.
const char *sage__logon_member(const struct sage_sim *, int i);

void sage__soap_wsdl(struct sage_call *);
void sage__soap_types_schema(struct sage_buf *, const struct sage_sim *); // complex types of the data namespace
// Members of a row's contract, prefix a.
void sage__soap_row(struct sage_buf *, struct sage_resource *, const struct sage_row *, enum sage_soap_type);

#endif
