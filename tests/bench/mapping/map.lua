-- LuaJIT with lua-cjson: luajit map.lua <rows.jsonl
local cjson = require "cjson"
cjson.encode_number_precision(14)
local decode, encode, floor = cjson.decode, cjson.encode, math.floor
local CLASSES = { D1 = "Distributor", R2 = "Retail", W3 = "Wholesale" }
local COUNTRIES = { USA = "United States", CAN = "Canada", DEU = "Germany" }
local TERMS = { ["00"] = "Due on receipt", ["01"] = "Net 30", ["02"] = "Net 30", ["03"] = "Net 60" }
local PAIRS = { { "Ü", "ü" }, { "É", "é" }, { "Å", "å" }, { "Ñ", "ñ" }, { "Ł", "ł" }, { "Ó", "ó" }, { "Ź", "ź" } }
local UP, DOWN = {}, {}
for _, p in ipairs(PAIRS) do UP[p[2]], DOWN[p[1]] = p[1], p[2] end

local function up(s) s = s:upper() return s:find("[\128-\255]") and s:gsub("[\194-\223][\128-\191]", UP) or s end
local function down(s) s = s:lower() return s:find("[\128-\255]") and s:gsub("[\194-\223][\128-\191]", DOWN) or s end
local function title(s)
  return (s:gsub("[%a\128-\255]+", function(w)
    local n = w:byte() >= 128 and 2 or 1
    return up(w:sub(1, n)) .. down(w:sub(n + 1))
  end))
end
local function blank(s) if s ~= "" then return s end end
local function phone(s)
  if s:find("[^0-9 ()./-]") then return nil end
  local d = s:gsub("[^0-9]", "")
  if #d == 11 and d:byte() == 49 then d = d:sub(2) end
  if #d == 10 then return "+1" .. d end
end
local function joined(gap, ...)
  local parts = {}
  for i = 1, select("#", ...) do
    local s = select(i, ...)
    if s ~= "" then parts[#parts + 1] = s end
  end
  return blank(table.concat(parts, gap))
end
local function cents(s) return floor(tonumber(s) * 100 + 0.5) end

local function map(r)
  if r.CustomerStatus == "T" then return { skip = true } end
  local name = r.CustomerName:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  if name == "" then return { reject = "customer without a name" } end
  local limit, current, hold = cents(r.CreditLimit), cents(r.CurrentBalance), r.CreditHold == "Y"
  local total = current + cents(r.AgingCategory1) + cents(r.AgingCategory2) + cents(r.AgingCategory3) + cents(r.AgingCategory4)
  return {
    Account_Name = title(name),
    Sage_Status = r.CustomerStatus == "A" and "Active" or "Inactive",
    Phone = phone(r.TelephoneNo),
    Fax = phone(r.FaxNo),
    Billing_Mail = blank(down(r.EmailAddress)),
    Website = blank(r.URLAddress),
    Billing_Street = joined("\n", r.AddressLine1, r.AddressLine2, r.AddressLine3),
    Billing_City = blank(title(r.City)),
    Billing_State = blank(up(r.State)),
    Billing_Code = blank(r.ZipCode),
    Billing_Country = COUNTRIES[r.CountryCode],
    Terms = TERMS[r.TermsCode],
    Salesperson = joined("-", r.SalespersonDivisionNo, r.SalespersonNo),
    Ship_Via = blank(r.ShipMethod),
    Tax_Area = blank(r.TaxSchedule),
    Sort_Name = blank(up(r.SortField):sub(1, 8)),
    Note_Short = blank(r.Comment:sub(1, 20)),
    Customer_Since = blank(r.DateEstablished) or blank(r.DateCreated),
    Last_Activity = blank(r.DateLastActivity),
    Last_Payment = blank(r.DateLastPayment),
    Credit_Limit = limit / 100,
    Open_Balance = total / 100,
    Past_Due = (total - current) / 100,
    Discount = floor((floor(tonumber(r.CustomerDiscountRate) * 1000 + 0.5) + 50) / 100) / 10,
    Credit_Status = hold and "On hold" or limit > 0 and total > limit and "Over limit" or "Good",
    Class = CLASSES[r.CustomerType] or "Other",
    Rating = hold and "Shut Down" or total > 1000000 and "Acquired" or "Active",
  }
end

io.stdout:setvbuf("full", 65536)
for line in io.lines() do io.write(encode(map(decode(line))), "\n") end
