# truth.jq - the agreement of examples/customers a second time, written without the engine: what each account has to be, given Sage's rows. Prints a line for
# each difference, and at last how many customers were compared.
def text: if . == null or . == "" then null else . end;
def num: if . == null or . == "" then 0 else tonumber end;
def cents: . * 100 | round;
def part: gsub("\\^"; "^^") | gsub("~"; "^-");
def terms: {"00": "Due on receipt", "01": "Net 30", "02": "Net 30", "03": "Net 60"}[. // ""];
def country_table: [$countries | split("\n")[] | select(length > 0) | capture("^(?<k>[A-Z]{3}),\"?(?<v>.*?)\"?$")] | map({(.k): .v}) | add;
def phone: text | if . != null and startswith("+") then "+" + gsub("[^0-9]"; "") else "any" end;   # numbers with a country only: the rest needs a phone plan

def wanted($countries):
  .fields as $f
  | ([$f.CurrentBalance, $f.AgingCategory1, $f.AgingCategory2, $f.AgingCategory3, $f.AgingCategory4] | map(num) | add) as $total
  | {
      Sage_Status: (if $f.CustomerStatus == "T" then "Left" else "Active" end),
      Account_Name: ($f.CustomerName | text),
      Billing_Street: ([$f.AddressLine1, $f.AddressLine2, $f.AddressLine3] | map(text | select(. != null)) | if . == [] then null else join("\n") end),
      Billing_City: ($f.City | text),
      Billing_State: ($f.State | text),
      Billing_Code: ($f.ZipCode | text),
      Billing_Country: ($countries[$f.CountryCode // ""]),
      Payment_Terms: ($f.TermsCode | terms),
      Credit_Status: (if $f.CreditHold == "Y" then "On hold" elif ($f.CreditLimit | num) > 0 and ($total | cents) > ($f.CreditLimit | num | cents) then "Over limit" else "Good" end)
    } as $texts
  | {texts: $texts, limit: ($f.CreditLimit | num | cents), balance: ($total | cents), phone: ($f.TelephoneNo | phone)};

country_table as $table
| ($zoho[0] | map(select(.Sage_Customer != null))) as $accounts
| ($accounts | group_by(.Sage_Customer) | map({(.[0].Sage_Customer): .}) | add // {}) as $by_key
| ($sage[0].rows | map(.key as $k | {("ABC~" + ($k | map(part) | join("~"))): .}) | add) as $customers
| ($by_key | to_entries[] | select($customers[.key] == null and .value[0].Sage_Status != "Deleted") | "\(.key): not in Sage, and not Deleted"),
  ($customers | to_entries[]
    | .key as $key
    | (.value | wanted($table)) as $w
    | ($by_key[$key] // []) as $have
    | if $w.texts.Account_Name == null then empty
      elif ($have | length) > 1 then "\($key): \($have | length) accounts"
      elif ($have | length) == 0 and $w.texts.Sage_Status == "Left" then empty
      elif ($have | length) == 0 then "\($key): no account"
      elif $w.texts.Sage_Status == "Left" then (if $have[0].Sage_Status == "Left" then empty else "\($key): Sage_Status is \($have[0].Sage_Status), not Left" end)
      else
        ($w.texts | to_entries[] | select($have[0][.key] != .value) | "\($key): \(.key) is \($have[0][.key] | tojson), not \(.value | tojson)"),
        (select(($have[0].Credit_Limit | num | cents) != $w.limit) | "\($key): Credit_Limit is \($have[0].Credit_Limit)"),
        (select(($have[0].Open_Balance | num | cents) != $w.balance) | "\($key): Open_Balance is \($have[0].Open_Balance)"),
        (select($w.phone != "any" and $have[0].Phone != null and $have[0].Phone != $w.phone) | "\($key): Phone is \($have[0].Phone), not \($w.phone)")
      end),
  "compared \($customers | length)"
