// Node.js: node map.js <rows.jsonl
'use strict';
const CLASSES = { D1: 'Distributor', R2: 'Retail', W3: 'Wholesale' };
const COUNTRIES = { USA: 'United States', CAN: 'Canada', DEU: 'Germany' };
const TERMS = { '00': 'Due on receipt', '01': 'Net 30', '02': 'Net 30', '03': 'Net 60' };
const PLAIN = /^[0-9 ()./-]+$/, OTHER = /[^0-9]/g, WORD = /\p{L}+/gu, BLANKS = /\s+/g;
const blank = s => s || undefined;
const title = s => s.replace(WORD, w => w[0].toUpperCase() + w.slice(1).toLowerCase());
const cents = s => Math.round(Number(s) * 100);
function phone(s) {
  if (!PLAIN.test(s)) return undefined;
  let d = s.replace(OTHER, '');
  if (d.length === 11 && d[0] === '1') d = d.slice(1);
  return d.length === 10 ? '+1' + d : undefined;
}
function map(r) {
  if (r.CustomerStatus === 'T') return { skip: true };
  const name = r.CustomerName.trim().replace(BLANKS, ' ');
  if (!name) return { reject: 'customer without a name' };
  const limit = cents(r.CreditLimit), current = cents(r.CurrentBalance), hold = r.CreditHold === 'Y';
  const total = current + cents(r.AgingCategory1) + cents(r.AgingCategory2) + cents(r.AgingCategory3) + cents(r.AgingCategory4);
  return {
    Account_Name: title(name),
    Sage_Status: r.CustomerStatus === 'A' ? 'Active' : 'Inactive',
    Phone: phone(r.TelephoneNo),
    Fax: phone(r.FaxNo),
    Billing_Mail: blank(r.EmailAddress.toLowerCase()),
    Website: blank(r.URLAddress),
    Billing_Street: blank([r.AddressLine1, r.AddressLine2, r.AddressLine3].filter(Boolean).join('\n')),
    Billing_City: blank(title(r.City)),
    Billing_State: blank(r.State.toUpperCase()),
    Billing_Code: blank(r.ZipCode),
    Billing_Country: COUNTRIES[r.CountryCode],
    Terms: TERMS[r.TermsCode],
    Salesperson: blank([r.SalespersonDivisionNo, r.SalespersonNo].filter(Boolean).join('-')),
    Ship_Via: blank(r.ShipMethod),
    Tax_Area: blank(r.TaxSchedule),
    Sort_Name: blank(r.SortField.toUpperCase().slice(0, 8)),
    Note_Short: blank(r.Comment.slice(0, 20)),
    Customer_Since: blank(r.DateEstablished) || blank(r.DateCreated),
    Last_Activity: blank(r.DateLastActivity),
    Last_Payment: blank(r.DateLastPayment),
    Credit_Limit: limit / 100,
    Open_Balance: total / 100,
    Past_Due: (total - current) / 100,
    Discount: Math.floor((Math.round(Number(r.CustomerDiscountRate) * 1000) + 50) / 100) / 10,
    Credit_Status: hold ? 'On hold' : limit > 0 && total > limit ? 'Over limit' : 'Good',
    Class: CLASSES[r.CustomerType] || 'Other',
    Rating: hold ? 'Shut Down' : total > 1000000 ? 'Acquired' : 'Active',
  };
}
if (require.main === module) {
  const fs = require('fs'), room = Buffer.alloc(1 << 20);
  let rest = Buffer.alloc(0), got;
  while ((got = fs.readSync(0, room, 0, room.length, null)) > 0) {
    const all = Buffer.concat([rest, room.subarray(0, got)]), end = all.lastIndexOf(10) + 1;
    rest = Buffer.from(all.subarray(end));
    if (end) fs.writeSync(1, all.toString('utf8', 0, end - 1).split('\n').map(line => JSON.stringify(map(JSON.parse(line)))).join('\n') + '\n');
  }
}
