import Foundation
import TestKit

/// Writes workbooks as other programs do: a zip of hand-made XML, through Python's zipfile.
enum Workbooks {
  /// `cells` are the rows as XML: `<c r="A1" t="inlineStr"><is><t>代码</t></is></c>`.
  /// `merged`: ranges of cells shown as one, of each sheet.
  static func write(
    _ path: String, _ sheets: [(name: String, rows: [String])], repeating: Int = 1, merged: [String] = []
  ) throws {
    let script = """
      import json, sys, zipfile
      path, sheets, repeating = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3])
      merged = ''.join(f'<mergeCell ref="{r}"/>' for r in sys.argv[4:])
      ns = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
      rel = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
      z = zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED)
      z.writestr('_rels/.rels', f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>')
      z.writestr('xl/workbook.xml', f'<workbook {ns} xmlns:r="{rel}"><sheets>' + ''.join(f'<sheet name="{s["name"]}" sheetId="{i + 1}" r:id="s{i + 1}"/>' for i, s in enumerate(sheets)) + '</sheets></workbook>')
      z.writestr('xl/_rels/workbook.xml.rels', '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">' + ''.join(f'<Relationship Id="s{i + 1}" Type="{rel}/worksheet" Target="worksheets/sheet{i + 1}.xml"/>' for i, s in enumerate(sheets)) + f'<Relationship Id="st" Type="{rel}/styles" Target="styles.xml"/></Relationships>')
      z.writestr('xl/styles.xml', f'<styleSheet {ns}><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/></cellXfs></styleSheet>')
      for i, s in enumerate(sheets):
        with z.open(f'xl/worksheets/sheet{i + 1}.xml', 'w') as f:
          f.write(f'<worksheet {ns}><sheetData>'.encode())
          f.write(''.join(f'<row>{r}</row>' for r in s['rows'][:1]).encode())
          body = ''.join(f'<row>{r}</row>' for r in s['rows'][1:]).encode()
          for _ in range(repeating): f.write(body)
          f.write(f'</sheetData>{"<mergeCells>" + merged + "</mergeCells>" if merged else ""}</worksheet>'.encode())
      z.close()
      """
    let json = path + ".json"
    let described = sheets.map { ["name": $0.name, "rows": $0.rows] as [String: Any] }
    try JSONSerialization.data(withJSONObject: described).write(to: URL(fileURLWithPath: json))
    defer { unlink(json) }
    try Tool.run("/usr/bin/env", ["python3", "-c", script, path, json, "\(repeating)"] + merged)
  }

  static func text(_ text: String) -> String { "<c t=\"inlineStr\"><is><t>\(text)</t></is></c>" }
  static func number(_ digits: String, style: Int = 0) -> String { "<c s=\"\(style)\"><v>\(digits)</v></c>" }
}
