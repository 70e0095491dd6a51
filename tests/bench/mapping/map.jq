# jq 1.6, jq 1.7 and gojq: jq -c -f map.jq <rows.jsonl
def blank: if . == null or . == "" then null else . end;
def phone: if . == "" or (test("^[0-9 ()./-]+$") | not) then null else (gsub("[^0-9]"; "") | ltrimstr("1")) | if length == 10 then "+1" + . else null end end;
def up: if test("^[\\x00-\\x7f]*$") then ascii_upcase else ascii_upcase | gsub("ü"; "Ü") | gsub("é"; "É") | gsub("å"; "Å") | gsub("ñ"; "Ñ") | gsub("ł"; "Ł") | gsub("ó"; "Ó") | gsub("ź"; "Ź") end;
def down: if test("^[\\x00-\\x7f]*$") then ascii_downcase else ascii_downcase | gsub("Ü"; "ü") | gsub("É"; "é") | gsub("Å"; "å") | gsub("Ñ"; "ñ") | gsub("Ł"; "ł") | gsub("Ó"; "ó") | gsub("Ź"; "ź") end;
def word: if test("^\"") then "\"" + (.[1:2] | up) + (.[2:] | down) else (.[0:1] | up) + (.[1:] | down) end;
def words: [splits("[ \t]+") | select(. != "")];
def title: [split(" ")[] | word] | join(" ");
def cents: . * 100 | round;
def money: cents / 100;
{"D1": "Distributor", "R2": "Retail", "W3": "Wholesale"} as $classes |
{"USA": "United States", "CAN": "Canada", "DEU": "Germany"} as $countries |
{"00": "Due on receipt", "01": "Net 30", "02": "Net 30", "03": "Net 60"} as $terms |
if .CustomerStatus == "T" then {skip: true}
else (.CustomerName | words | join(" ")) as $name |
  if $name == "" then {reject: "customer without a name"}
  else
    (.CreditLimit | tonumber) as $limit | (.CurrentBalance | tonumber) as $current |
    (($current + (.AgingCategory1 | tonumber) + (.AgingCategory2 | tonumber) + (.AgingCategory3 | tonumber) + (.AgingCategory4 | tonumber)) | cents) as $total |
    {
      Account_Name: ($name | title),
      Sage_Status: (if .CustomerStatus == "A" then "Active" else "Inactive" end),
      Phone: (.TelephoneNo | phone),
      Fax: (.FaxNo | phone),
      Billing_Mail: (.EmailAddress | down | blank),
      Website: (.URLAddress | blank),
      Billing_Street: ([.AddressLine1, .AddressLine2, .AddressLine3 | select(. != "")] | join("\n") | blank),
      Billing_City: (.City | title | blank),
      Billing_State: (.State | up | blank),
      Billing_Code: (.ZipCode | blank),
      Billing_Country: $countries[.CountryCode],
      Terms: $terms[.TermsCode],
      Salesperson: ([.SalespersonDivisionNo, .SalespersonNo | select(. != "")] | join("-") | blank),
      Ship_Via: (.ShipMethod | blank),
      Tax_Area: (.TaxSchedule | blank),
      Sort_Name: (.SortField | up | .[0:8] | blank),
      Note_Short: (.Comment | .[0:20] | blank),
      Customer_Since: (if .DateEstablished == "" then .DateCreated | blank else .DateEstablished end),
      Last_Activity: (.DateLastActivity | blank),
      Last_Payment: (.DateLastPayment | blank),
      Credit_Limit: ($limit | money),
      Open_Balance: ($total / 100),
      Past_Due: (($total - ($current | cents)) / 100),
      Discount: (((.CustomerDiscountRate | tonumber) * 1000 | round + 50) / 100 | floor / 10),
      Credit_Status: (if .CreditHold == "Y" then "On hold" elif $limit > 0 and $total > ($limit | cents) then "Over limit" else "Good" end),
      Class: ($classes[.CustomerType] // "Other"),
      Rating: (if .CreditHold == "Y" then "Shut Down" elif $total > 1000000 then "Acquired" else "Active" end)
    } | with_entries(select(.value != null))
  end
end
