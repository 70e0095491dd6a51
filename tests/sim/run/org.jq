# The organisation of the simulation: of the common one the modules that the flows write, with the fields that they and people use. Descriptions of modules
# are read at each start of the program; short ones make a thousand seeds cheap.
{Accounts: ["Account_Name", "Website", "Billing_City", "Billing_State", "Billing_Code", "Description", "Sage_Customer", "Sage_Status", "Credit_Status", "Credit_Limit"],
 Contacts: ["Last_Name", "Account_Name", "Email", "Department", "Description", "Sage_Contact"],
 Products: ["Product_Name", "Description", "Sage_Item"],
 Sales_Orders: ["Subject", "Account_Name", "Status", "Description", "Ordered_Items", "Sage_Document"],
 Ordered_Items: ["Product_Name", "Quantity", "List_Price", "Description", "Total", "Net_Total", "Parent_Id"]} as $keep
| ["Owner", "Created_By", "Modified_By", "Created_Time", "Modified_Time", "Locked__s", "id"] as $system
| .modules |= [.[] | select($keep[.api_name]) | .api_name as $m | .fields |= [.[] | select(.api_name as $f | ($keep[$m] + $system) | index($f))]]
