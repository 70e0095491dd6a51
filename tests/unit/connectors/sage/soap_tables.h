/* soap_tables.h - what the tests of the SOAP door ask of contacts and orders. Behind rig.h. */
#ifndef TESTS_SAGE_SOAP_TABLES_H
#define TESTS_SAGE_SOAP_TABLES_H
#include "tests/unit/connectors/sage/rig.h"

static struct source_query contacts(void)
{
    static struct source_column columns[5];
    columns[0] = (struct source_column){STR("ContactCode"), type_text(1, 10), false};
    columns[1] = (struct source_column){STR("ContactName"), rig_text(50), false};
    columns[2] = (struct source_column){STR("EmailAddress"), rig_text(250), false};
    columns[3] = (struct source_column){STR("DateUpdated"), rig_date(), false};
    columns[4] = (struct source_column){STR("TimeUpdated"), rig_number(8, 5), false};
    return (struct source_query){.entity = STR("AR_CustomerContact"), .company = STR("ABC"), .key_columns = rig_contact_key, .nkeys = 3, .columns = columns, .ncolumns = 5};
}

static struct source_query orders(void)
{
    static struct source_column columns[5];
    columns[0] = (struct source_column){STR("SalesOrderNo"), type_text(1, 7), false};
    columns[1] = (struct source_column){STR("OrderDate"), rig_date(), false};
    columns[2] = (struct source_column){STR("ARDivisionNo"), rig_text(2), false};
    columns[3] = (struct source_column){STR("TaxableAmt"), rig_number(13, 2), false};
    columns[4] = (struct source_column){STR("OrderStatus"), rig_text(1), false};
    return (struct source_query){.entity = STR("SO_SalesOrderHeader"), .company = STR("ABC"), .key_columns = rig_order_key, .nkeys = 1, .columns = columns, .ncolumns = 5};
}
#endif
