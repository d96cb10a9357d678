"""Makes the workbooks beside it by other people's programs: python3 make.py (needs openpyxl, XlsxWriter and soffice)."""
import datetime as d
import pathlib
import subprocess

import openpyxl
import xlsxwriter
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904


def with_openpyxl(name, epoch=None):
    book = openpyxl.Workbook()
    if epoch:
        book.epoch = epoch
    sheet = book.active
    sheet.title = "人员 名单"
    sheet.append(["姓名", "身份证号", "出生日期", "登记时间", "上班", "金额", "在职", "合计", "出错"])
    sheet.append(["张三", "630102199001011234", d.date(1990, 1, 1), d.datetime(2026, 8, 22, 9, 30, 15), d.time(8, 30),
                  0.1, True, "=SUM(F2:F3)", "#N/A"])
    sheet.append(["  李四 \n第二行", 630102199001011, d.date(2024, 2, 29), None, None, -12.5, False, None, None])
    sheet["C3"].number_format = 'yyyy"年"m"月"d"日"'
    sheet["A7"] = CellRichText("红", TextBlock(InlineFont(b=True), "黄"), "蓝")
    sheet["ZZ99999"] = "角"
    book.create_sheet("藏").sheet_state = "hidden"
    book.create_sheet("深藏").sheet_state = "veryHidden"
    book.save(name)


with_openpyxl("openpyxl.xlsx")
with_openpyxl("openpyxl-1904.xlsx", CALENDAR_MAC_1904)

book = xlsxwriter.Workbook("xlsxwriter.xlsx")
sheet = book.add_worksheet("公式")
for row, (value, code) in enumerate([
    (45526, "yyyy-mm-dd"), (45526.5, "yyyy/m/d h:mm"), (0.5, "h:mm:ss AM/PM"), (45526, '[$-804]yyyy"年"m"月"d"日";@'),
    (1.5, "[h]:mm"), (12345.678, "#,##0.00_ ;[Red]-#,##0.00 "), (3, '0"d"'), (45526, 31), (0.75, 32), (45526.25, 22),
    (1e-7, "0.00E+00"), (7, "General"), (45526, '[DBNum1][$-804]yyyy"年"m"月"d"日"'), (60, "yyyy-mm-dd"), (45526, "mmm-yy"),
    (5, '"hh:mm"0'), (45526, "aaaa"), (6, r"0\h"),
]):
    form = book.add_format()
    form.set_num_format(code)
    sheet.write_number(row, 0, value, form)
    sheet.write_string(row, 1, str(code))
sheet.write_formula("C1", "=1+1", None, 2)
sheet.write_formula("C2", '="甲"&"乙"', None, "甲乙")
sheet.write_formula("C3", "=TRUE", None, True)
sheet.write_formula("C4", "=1/0", None, "#DIV/0!")
sheet.write_boolean("C5", False)
sheet.write_string("C6", "_x0041_")
sheet.write_comment("C6", "批注")
chart = book.add_chart({"type": "line"})
chart.add_series({"values": "=公式!$A$1:$A$3"})
book.add_chartsheet("图").set_chart(chart)
book.close()

for kind, source, target in [
    ("ods", "openpyxl.xlsx", "libreoffice.ods"), ("xls", "xlsxwriter.xlsx", "libreoffice.xls"),
    ("xlsx", "xlsxwriter.xlsx", "libreoffice.xlsx"),
]:
    subprocess.run(["soffice", "--headless", "--convert-to", kind, "--outdir", "made", source], check=True)
    pathlib.Path("made", pathlib.Path(source).stem + "." + kind).rename(target)
pathlib.Path("made").rmdir()
