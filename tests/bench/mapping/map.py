"""Python: python3 map.py <rows.jsonl"""
import json
import re
import sys
from decimal import Decimal, ROUND_HALF_UP

CLASSES = {"D1": "Distributor", "R2": "Retail", "W3": "Wholesale"}
COUNTRIES = {"USA": "United States", "CAN": "Canada", "DEU": "Germany"}
TERMS = {"00": "Due on receipt", "01": "Net 30", "02": "Net 30", "03": "Net 60"}
PLAIN, OTHER = re.compile(r"[0-9 ()./-]+"), re.compile(r"[^0-9]")
TENTH = Decimal("0.1")


def phone(text):
    if not PLAIN.fullmatch(text):
        return None
    digits = OTHER.sub("", text)
    if len(digits) == 11 and digits[0] == "1":
        digits = digits[1:]
    return "+1" + digits if len(digits) == 10 else None


def convert(r):
    if r["CustomerStatus"] == "T":
        return {"skip": True}
    name = " ".join(r["CustomerName"].split())
    if not name:
        return {"reject": "customer without a name"}
    limit, current, hold = Decimal(r["CreditLimit"]), Decimal(r["CurrentBalance"]), r["CreditHold"] == "Y"
    total = current + Decimal(r["AgingCategory1"]) + Decimal(r["AgingCategory2"]) + Decimal(r["AgingCategory3"]) + Decimal(r["AgingCategory4"])
    out = {
        "Account_Name": name.title(),
        "Sage_Status": "Active" if r["CustomerStatus"] == "A" else "Inactive",
        "Phone": phone(r["TelephoneNo"]),
        "Fax": phone(r["FaxNo"]),
        "Billing_Mail": r["EmailAddress"].lower(),
        "Website": r["URLAddress"],
        "Billing_Street": "\n".join(s for s in (r["AddressLine1"], r["AddressLine2"], r["AddressLine3"]) if s),
        "Billing_City": r["City"].title(),
        "Billing_State": r["State"].upper(),
        "Billing_Code": r["ZipCode"],
        "Billing_Country": COUNTRIES.get(r["CountryCode"]),
        "Terms": TERMS.get(r["TermsCode"]),
        "Salesperson": "-".join(s for s in (r["SalespersonDivisionNo"], r["SalespersonNo"]) if s),
        "Ship_Via": r["ShipMethod"],
        "Tax_Area": r["TaxSchedule"],
        "Sort_Name": r["SortField"].upper()[:8],
        "Note_Short": r["Comment"][:20],
        "Customer_Since": r["DateEstablished"] or r["DateCreated"],
        "Last_Activity": r["DateLastActivity"],
        "Last_Payment": r["DateLastPayment"],
        "Credit_Status": "On hold" if hold else "Over limit" if limit > 0 and total > limit else "Good",
        "Class": CLASSES.get(r["CustomerType"], "Other"),
        "Rating": "Shut Down" if hold else "Acquired" if total > 10000 else "Active",
    }
    out = {k: v for k, v in out.items() if v}
    out["Credit_Limit"] = float(limit)
    out["Open_Balance"] = float(total)
    out["Past_Due"] = float(total - current)
    out["Discount"] = float(Decimal(r["CustomerDiscountRate"]).quantize(TENTH, ROUND_HALF_UP))
    return out


def main():
    write = sys.stdout.write
    for line in sys.stdin:
        write(json.dumps(convert(json.loads(line)), ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
