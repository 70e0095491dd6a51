# distribution.sh - examples/sage100-zoho on both stand-ins, of a size given as for `sim-sage --rows`; and the comparison of all that Zoho holds with what it
# should hold, computed from Sage's rows by the reference evaluator (tests/reference) and not by the engine. Sourced after lib.sh.
tables="AR_Customer=customers AR_CustomerContact=contacts AP_Vendor=vendors CI_Item=items SO_SalesOrderHeader=sales-orders SO_SalesOrderHistoryHeader=sales-order-history
        PO_PurchaseOrderHeader=purchase-orders AR_InvoiceHistoryHeader=ar-invoices AR_OpenInvoice=ar-open-invoices AP_OpenInvoice=ap-open-invoices
        AP_InvoiceHistoryHeader=ap-invoices GL_AccountGroup=gl-account-groups GL_MainAccount=gl-main-accounts GL_Account=gl-accounts"
modules="Accounts Contacts Vendors Products Deals Quotes Sales_Orders Invoices Purchase_Orders Supplier_Invoices GL_Accounts"
deals=200

# start_distribution CUSTOMERS ROWS VENDORS-OF-THE-SECOND-COMPANY/10: both systems, an org in which `mlcd prepare` has made what fields.mlc declares
start_distribution() {
    start_sage --customers "$1" --rows "$2"
    sage company "{\"code\":\"DEF\",\"name\":\"ABC West\",\"customers\":$3}"
    # An org of Enterprise edition with nothing of Sage in it but the number that the sales team gives to its opportunities.
    jq '.edition = "enterprise" | del(.modules[] | select(.api_name == "GL_Accounts")) | .modules |= map(.fields |= map(select((.custom // false) | not)))
        | (.modules[] | select(.api_name == "Deals") | .fields) |= . + [{"api_name": "Deal_Number", "data_type": "text", "length": 12, "custom": true, "unique": {"case_sensitive": false}}]' \
        "$root/tests/sim/zoho/data/professional.json" >org.json
    start_zoho --data org.json
    jq -cn --argjson n $deals '{module: "Deals", records: [range($n) | {Deal_Name: "Opportunity \(. + 1000)", Deal_Number: "D-\(. + 1000)", Stage: "Qualification"}]}' >deals.json
    curl -fsS -X POST --data-binary @deals.json "$ZOHO/__sim/seed" >/dev/null
    cp "$root"/examples/sage100-zoho/*.mlc "$root"/examples/sage100-zoho/*.csv "$root"/examples/sage100-zoho/*.lock .
    sed -i 's|^\( *\)region *= us.*|&\n\1accounts_url = "'"$ZOHO"'"|' distribution.mlc
    printf 'salesperson,name,email\n0100,Ben Berger,ben.berger@nordwind-handel.example\n0200,Carla Conti,carla.conti@nordwind-handel.example\n' >reps.csv
    quietly mlc build distribution.mlc -o customers.mlcb
    sign_in
    quietly mlcd prepare --yes --image customers.mlcb
}

# pages COMPANY RESOURCE: all rows of a table, answer behind answer
pages() {
    since=
    while :; do
        curl -fsS -H "Authorization: Bearer $TOKEN" "$SAGE/v1/companies/$1/$2?limit=1000$since" >page.json
        cat page.json
        tail -c 1000 page.json | grep -q '"complete":false' || break      # the members behind the rows: reading all of it again would take longer than asking for it
        since="&since=$(tail -c 1000 page.json | sed 's/.*"next":"\([^"]*\)".*/\1/')"
    done
}
module() { curl -fsS "$ZOHO/__sim/dump?module=$1"; }

# differences: into differences.out, a line each, and the counts at the end
differences() {
    set --
    for t in $tables; do
        pages ABC "${t#*=}" >"${t%%=*}.json"
        set -- "$@" "sage:ABC:${t%%=*}=${t%%=*}.json"
    done
    pages DEF vendors >West.json
    for m in $modules; do
        module "$m" >"$m.dump.json"
        set -- "$@" "zoho:$m=$m.dump.json"
    done
    jq '{users: .users}' org.json >users.json
    world-check distribution.mlc "$@" sage:DEF:AP_Vendor=West.json zoho:users=users.json >differences.out 2>&1 || true
}
# same_world NAME: there are none
same_world() {
    differences
    if tail -1 differences.out | grep -q '; 0 differences$'; then ok "$1"; else not_ok "$1" "$(grep -c . differences.out) lines: $(head -6 differences.out | tr '\n' '|' | cut -c1-500) $(tail -1 differences.out)"; fi
}
