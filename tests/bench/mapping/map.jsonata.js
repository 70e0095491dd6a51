// JSONata under Node.js: node map.jsonata.js <rows.jsonl; the mapping itself is the expression.
'use strict';
const fs = require('fs'), jsonata = require('jsonata');
const expression = jsonata(`
  CustomerStatus = "T" ? {"skip": true} : (
    $words := function($s) { $filter($split($trim($s), " "), function($w) { $w != "" }) };
    $title := function($s) { $join($map($split($s, " "), function($w) {
      $substring($w, 0, 1) = '"' ? '"' & $uppercase($substring($w, 1, 1)) & $lowercase($substring($w, 2)) : $uppercase($substring($w, 0, 1)) & $lowercase($substring($w, 1))
    }), " ") };
    $blank := function($s) { $s != "" ? $s };
    $digits := function($s) { $replace($s, /[^0-9]/, "") };
    $ten := function($d) { $length($d) = 11 and $substring($d, 0, 1) = "1" ? $substring($d, 1) : $d };
    $phone := function($s) { $contains($s, /^[0-9 ().\\/-]+$/) ? ($d := $ten($digits($s)); $length($d) = 10 ? "+1" & $d) };
    $cents := function($s) { $round($number($s) * 100) };
    $classes := {"D1": "Distributor", "R2": "Retail", "W3": "Wholesale"};
    $countries := {"USA": "United States", "CAN": "Canada", "DEU": "Germany"};
    $terms := {"00": "Due on receipt", "01": "Net 30", "02": "Net 30", "03": "Net 60"};
    $name := $join($words(CustomerName), " ");
    $name = "" or $not($exists($name)) ? {"reject": "customer without a name"} : (
      $limit := $cents(CreditLimit);
      $current := $cents(CurrentBalance);
      $total := $current + $cents(AgingCategory1) + $cents(AgingCategory2) + $cents(AgingCategory3) + $cents(AgingCategory4);
      {
        "Account_Name": $title($name),
        "Sage_Status": CustomerStatus = "A" ? "Active" : "Inactive",
        "Phone": $phone(TelephoneNo),
        "Fax": $phone(FaxNo),
        "Billing_Mail": $blank($lowercase(EmailAddress)),
        "Website": $blank(URLAddress),
        "Billing_Street": $blank($join([AddressLine1, AddressLine2, AddressLine3][$ != ""], "\n")),
        "Billing_City": $blank($title(City)),
        "Billing_State": $blank($uppercase(State)),
        "Billing_Code": $blank(ZipCode),
        "Billing_Country": $lookup($countries, CountryCode),
        "Terms": $lookup($terms, TermsCode),
        "Salesperson": $blank($join([SalespersonDivisionNo, SalespersonNo][$ != ""], "-")),
        "Ship_Via": $blank(ShipMethod),
        "Tax_Area": $blank(TaxSchedule),
        "Sort_Name": $blank($substring($uppercase(SortField), 0, 8)),
        "Note_Short": $blank($substring(Comment, 0, 20)),
        "Customer_Since": DateEstablished != "" ? DateEstablished : $blank(DateCreated),
        "Last_Activity": $blank(DateLastActivity),
        "Last_Payment": $blank(DateLastPayment),
        "Credit_Limit": $limit / 100,
        "Open_Balance": $total / 100,
        "Past_Due": ($total - $current) / 100,
        "Discount": $floor(($round($number(CustomerDiscountRate) * 1000) + 50) / 100) / 10,
        "Credit_Status": CreditHold = "Y" ? "On hold" : $limit > 0 and $total > $limit ? "Over limit" : "Good",
        "Class": $lookup($classes, CustomerType) ? $lookup($classes, CustomerType) : "Other",
        "Rating": CreditHold = "Y" ? "Shut Down" : $total > 1000000 ? "Acquired" : "Active"
      }
    )
  )`);

(async () => {
  const lines = fs.readFileSync(0, 'utf8').split('\n');
  let out = [];
  for (const line of lines) {
    if (!line) continue;
    out.push(JSON.stringify(await expression.evaluate(JSON.parse(line))));
    if (out.length === 500) {
      fs.writeSync(1, out.join('\n') + '\n');
      out = [];
    }
  }
  if (out.length) fs.writeSync(1, out.join('\n') + '\n');
})();
