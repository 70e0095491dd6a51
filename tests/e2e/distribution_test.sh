#!/bin/sh
# distribution_test.sh - the integration of a whole distributor, examples/sage100-zoho.
. "$(dirname "$0")/lib.sh"
. "$root/tests/e2e/distribution.sh"
start_distribution ${CUSTOMERS:-60} "${ROWS:-contacts=90,sales-orders=100,ar-invoices=200,vendors=20,items=50,gl-accounts=60,purchase-orders=30,ap-invoices=60}" 20
exits "first load" 0 mlcd once --quiet --image customers.mlcb --wait 60s
cat out err >&2
same_world "every record of every flow stands in Zoho as the reference evaluator says"
tail -3 differences.out
finish
