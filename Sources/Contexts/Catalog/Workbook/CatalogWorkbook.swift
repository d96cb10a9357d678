package import Inventory
package import Kernel
internal import Spreadsheets

/// The workbook by which a department compiles entries: what its sheets and columns are, under the lists of one day.
package struct CatalogWorkbook: Sendable {
  /// Of one sheet. More is refused as a whole, with the bound named.
  package static let mostRows = (resources: 20_000, items: 50_000)
  /// Of the file as it is uploaded.
  package static let mostBytes = 100 << 20

  static let reasonTitle = Text("未导入原因", "Why it was not imported")
  static let guideName = Text("填写说明", "Guide")

  let lists: CodeLists
  let today: CalendarDate
  let resourceColumns: [WorkbookColumn]
  let itemColumns: [WorkbookColumn]

  package init(lists: CodeLists = .embedded, on today: CalendarDate) {
    self.lists = lists
    self.today = today
    func choices(_ list: CodeList) -> WorkbookColumn.Content { .code(CodeChoices(CodeChoice.all(of: list, on: today))) }
    let formats = CodeChoice.all(of: lists.formats, on: today).map { choice in
      let kind = lists.formatClasses.text(String(choice.code.prefix(2)))
      return CodeChoice(
        code: choice.code,
        name: Text("\(kind.chinese) · \(choice.name.chinese)", "\(kind.english) · \(choice.name.english)"),
        isOffered: choice.isOffered)
    }
    resourceColumns = [
      WorkbookColumn("name", .name, required: true, width: 30),
      WorkbookColumn("classes", .workbookClasses, required: true, width: 22),
      WorkbookColumn("abstract", .abstract, required: true, width: 50),
      WorkbookColumn("format", .format, .code(CodeChoices(formats)), required: true, width: 20),
      WorkbookColumn("sharingType", .sharingType, choices(lists.sharingTypes), required: true),
      WorkbookColumn("sharingCondition", .sharingCondition, width: 40),
      WorkbookColumn("methodClass", .methodClass, choices(lists.methodClasses)),
      WorkbookColumn("methodType", .methodType, choices(lists.methodTypes)),
      WorkbookColumn("openType", .openType, choices(lists.openTypes), required: true),
      WorkbookColumn("openCondition", .openCondition, width: 30),
      WorkbookColumn("cycle", .cycle, choices(lists.cycles), required: true),
      WorkbookColumn("related", .workbookRelated, width: 24),
      WorkbookColumn("secrecy", .secrecy, choices(lists.secrecies), required: true),
      WorkbookColumn("level", .level, choices(lists.levels), required: true),
      WorkbookColumn("system", .workbookSystem, width: 24),
    ]
    itemColumns = [
      WorkbookColumn("resource", .itemResource, required: true, width: 30),
      WorkbookColumn("name", .itemName, required: true, width: 22),
      WorkbookColumn("column", .itemColumn, required: true, width: 20),
      WorkbookColumn("dataType", .itemType, choices(lists.itemTypes), required: true),
      WorkbookColumn("length", .itemLength, .number),
      WorkbookColumn("scale", .itemScale, .number),
      WorkbookColumn("isNullable", .itemNullable, .yesNo),
      WorkbookColumn("isKey", .itemKey, .yesNo),
      WorkbookColumn("description", .itemDescription, width: 30),
      WorkbookColumn("sharingType", .itemSharing, choices(lists.sharingTypes)),
      WorkbookColumn("sharingCondition", .itemCondition, width: 30),
      WorkbookColumn("grade", .itemGrade, choices(lists.grades), required: true),
      WorkbookColumn("semantic", .itemSemantic, choices(lists.semantics)),
    ]
  }

  func columns(of sheet: WorkbookSheet) -> [WorkbookColumn] { sheet == .resources ? resourceColumns : itemColumns }

  func plan(_ sheet: WorkbookSheet, _ language: Language, withReasons: Bool = false) -> SheetPlan {
    SheetPlan(
      language(sheet.name), columns(of: sheet).map { $0.sheetColumn(language) },
      fillableRows: SheetPlan.usualFillableRows, reasonTitle: withReasons ? language(Self.reasonTitle) : nil)
  }

  /// Writes the empty template. Blocks while it writes.
  package func writeTemplate(to path: String, _ language: Language) throws {
    let writer = try WorkbookWriter(path: path, language: language)
    _ = try writer.addSheet(plan(.resources, language))
    _ = try writer.addSheet(plan(.items, language))
    try writeGuide(writer, language)
    try writer.finish()
  }

  /// Every column with what belongs in it, for reading and for printing.
  func writeGuide(_ writer: WorkbookWriter, _ t: Language) throws {
    let guide = try writer.addSheet(
      SheetPlan(
        t(Self.guideName),
        [
          SheetColumn(t("工作表", "Sheet"), width: 16), SheetColumn(t("列", "Column"), width: 26),
          SheetColumn(t("必填", "Required"), width: 10), SheetColumn(t("怎样填写", "How to fill it in"), width: 70),
          SheetColumn(t("可选值", "Choices"), width: 60),
        ]))
    for sheet in [WorkbookSheet.resources, .items] {
      for column in columns(of: sheet) {
        var choices = ""
        if case .code(let all) = column.content {
          choices = all.offered.map { $0.shown(t) }.joined(separator: t("；", "; "))
        }
        try guide.append([
          .text(t(sheet.name)), .text(t(column.title)), .text(column.isRequired ? t("是", "Yes") : ""),
          .text(t(column.hint)), .text(choices),
        ])
      }
    }
  }
}

extension ElementWords {
  fileprivate static let workbookClasses = ElementWords(
    classes.title,
    Text(
      "国家分类代码，主分类在前，以“；”分隔，最多 \(Metadata.limits.classes) 个，如 3070120337；203。代码可在“数据目录 › 资源分类”中查阅。",
      "Codes of the national classification, the primary one first, separated by “;”, at most \(Metadata.limits.classes), such as 3070120337; 203. They can be looked up under Catalogue › Classes."
    ))
  fileprivate static let workbookRelated = ElementWords(
    related.title,
    Text(
      "已发布目录的代码，以“；”分隔，如 3070120337/000001。",
      "Codes of published entries, separated by “;”, such as 3070120337/000001."))
  fileprivate static let workbookSystem = ElementWords(
    system.title,
    Text(
      "本单位已登记的信息系统的编号或名称，如 XT63-000017；数据库类资源必填。",
      "The number or name of a system your organisation registered, such as XT63-000017; required for databases."))
  fileprivate static let itemResource = ElementWords(
    Text("所属信息资源名称", "Resource"),
    Text("与“信息资源目录”表中的名称一致。", "The name as it stands in the sheet “Resources”."))
  fileprivate static let itemName = ElementWords(
    Text("信息项名称", "Item"), Text("中文业务名称，资源内不重名。", "In Chinese, as business calls it; unique in the resource."))
  fileprivate static let itemColumn = ElementWords(
    Text("技术名称", "Column"), Text("数据表中的列名，资源内不重名。", "The column's name in the table; unique in the resource."))
  fileprivate static let itemType = ElementWords(Text("数据类型", "Data type"))
  fileprivate static let itemLength = ElementWords(
    Text("长度", "Length"),
    Text("字符型为最多字数，数值型为总位数；其他类型不填。", "For text its most characters, for numbers all digits; else empty."))
  fileprivate static let itemScale = ElementWords(
    Text("小数位", "Decimals"), Text("数值型小数点后的位数。", "Digits after the point of a number."))
  fileprivate static let itemNullable = ElementWords(Text("可空", "Nullable"), Text("不填为“是”。", "Empty means Yes."))
  fileprivate static let itemKey = ElementWords(
    Text("主键", "Key"), Text("区分每一行的信息项填“是”；不填为“否”。", "Yes for what tells rows apart; empty means No."))
  fileprivate static let itemDescription = ElementWords(Text("说明", "Description"))
  fileprivate static let itemSharing = ElementWords(
    Text("共享类型", "Sharing"), Text("与资源相同时不填。", "Empty where it is the resource's."))
  fileprivate static let itemCondition = ElementWords(
    Text("条件或依据", "Condition or basis"),
    Text("与资源不同的有条件共享、不予共享须写明。", "Needed where an item is conditional or not shared unlike its resource."))
  fileprivate static let itemGrade = ElementWords(Text("分级", "Grade"))
  fileprivate static let itemSemantic = ElementWords(
    Text("语义", "Kind of value"),
    Text("证件号码、信用代码等有规则的值；没有则不填。", "For values with a rule, such as identity numbers; else empty."))
}
