"""Has KohakuVault read, copy and change every column of a file.

The arguments are the file and the columns. Of each, the elements go into a new
column whose name ends in " copy". Then it is changed as turn in migrate_test.go
does it with a slice. What goes wrong is printed as JSON, by column.
"""

import json
import sys

from kohakuvault import ColumnVault

vault = ColumnVault(sys.argv[1])
dtypes = {row[0]: row[1] for row in vault.list_columns()}
wrong = {}
for name in sys.argv[2:]:
    try:
        column = vault[name]
        dtype = dtypes.get(name) or dtypes[name + "_data"]
        elements = [column[i] for i in range(len(column))]
        vault.create_column(name + " copy", dtype)
        if elements:
            vault[name + " copy"].extend(elements)
            column.append(elements[0])
            column.extend([elements[-1], elements[0]])
            column[1] = elements[-1]
            del column[0]
    except Exception as e:
        wrong[name] = repr(e)
vault.checkpoint()
vault.close() if hasattr(vault, "close") else None
print(json.dumps(wrong))
