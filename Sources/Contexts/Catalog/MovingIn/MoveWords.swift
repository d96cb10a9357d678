internal import Kernel

// What a department reads of a finding: our words for the element, never the name of a column or of a form's field.

extension MoveMapping {
  /// The element that a column of theirs is read into; of several tables, the entries' own first.
  private func element(of column: String) -> String {
    let tables = [entries, entryClasses, items, formats, classes, offices, systems, people].compactMap { $0?.columns }
    for columns in tables + (history ?? []).map(\.columns) {
      // In a fixed order: two elements may be read from one column.
      for (element, theirs) in columns.sorted(by: { $0.key < $1.key })
      where theirs == column || theirs.split(separator: "+").contains(Substring(column)) {
        return element
      }
    }
    return ""
  }

  /// The findings, each with our element.
  func naming(_ findings: [MoveFinding]) -> [MoveFinding] {
    findings.map { finding in
      var named = finding
      if finding.element.isEmpty, !finding.column.isEmpty {
        named.element = element(of: finding.column)
      }
      return named
    }
  }
}

extension MovedCode {
  /// The element whose codes these are, in words.
  var elementTitle: Text { MoveFinding.elementTitle(field) ?? Text(same: field) }
}

extension MoveFinding {
  /// The element in words: `信息项 3 · 长度`. Nil where it concerns none.
  var elementTitle: Text? { Self.elementTitle(element) }

  static func elementTitle(_ element: String) -> Text? {
    let parts = element.split(separator: ".").map(String.init)
    guard let first = parts.first else { return nil }
    guard first == "item", parts.count > 1, let index = Int(parts[1]) else { return title(of: first) }
    let item = Text("信息项 \(index + 1)", "Item \(index + 1)")
    guard parts.count > 2, let part = itemTitles[parts[2]] else { return item }
    return Text("\(item.chinese) · \(part.chinese)", "\(item.english) · \(part.english)")
  }

  private static func title(of element: String) -> Text? {
    let known = ElementGuide.title(of: element)
    return known == Text(same: element) ? otherTitles[element] ?? itemTitles[element] : known
  }

  private static let itemTitles: [String: Text] = [
    "name": Text("名称", "Name"), "column": Text("技术名称", "Column"), "description": Text("说明", "Description"),
    "dataType": Text("数据类型", "Type"), "length": Text("长度", "Length"), "scale": Text("小数位", "Scale"),
    "isKey": Text("主键", "Key"), "isNullable": Text("可空", "Nullable"), "semantic": Text("语义", "Kind of value"),
    "sharingType": ElementWords.sharingType.title, "sharingCondition": ElementWords.sharingCondition.title,
    "secrecy": ElementWords.secrecy.title, "grade": Text("分级", "Grade"), "order": Text("顺序", "Order"),
  ]

  private static let otherTitles: [String: Text] = [
    "id": Text("原标识", "Former id"), "entry": Text("所属目录", "Entry"), "entryClass": Text("所属目录", "Entry"),
    "office": Text("信息资源提供方", "Provider"), "officeName": Text("信息资源提供方", "Provider"),
    "officeCode": Text("提供方代码", "Provider's code"), "creditCode": Text("提供方代码", "Provider's code"),
    "state": Text("状态", "State"), "previous": Text("上一版本", "Version before"),
    "class": ElementWords.classes.title, "parent": Text("上级分类", "Class above"),
    "national": Text("对应的国家分类", "National class"), "formatClass": ElementWords.format.title,
    "at": Text("办理日期", "Day"), "person": Text("经办人", "Person"), "words": Text("意见", "Words"),
    "kind": Text("办理事项", "Step"), "mount": Text("挂接", "Mount"),
  ]
}
