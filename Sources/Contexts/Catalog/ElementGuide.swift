internal import Kernel

/// What the form says of one element of the core metadata besides its hint: its number, an example, and the rule it is
/// checked by. The wording of title and hint is `ElementWords`, which the workbook shares.
struct ElementGuide: Sendable {
  /// 1 to 13; nil for what this platform adds.
  var number: Int?
  var words: ElementWords
  var example: Text
  var rule: Text

  /// By the form's field; those that the platform writes come under names of their own.
  static func of(_ field: String) -> ElementGuide? { all[field] }

  static func title(of field: String) -> Text { all[field]?.words.title ?? Text(same: field) }

  /// The fields that a reviewer may say something about, in the order of the form.
  static let fields = [
    "classes", "name", "abstract", "system", "format", "items", "sharingType", "sharingCondition", "methodClass",
    "methodType", "openType", "openCondition", "cycle", "related", "level",
  ]

  private static let all: [String: ElementGuide] = [
    "classes": ElementGuide(
      number: 1, words: .classes,
      example: Text("3070120337（青海省民政厅） 203（全民社会保障）", "3070120337 (a department) 203 (a theme)"),
      rule: Text("类、项、目必选，主分类须细到“目”；代码须在国家分类中。", "Down to the third level; codes of the national classification.")),
    "name": ElementGuide(
      number: 2, words: .name,
      example: Text(
        "企业法人基本信息；不要写“企业登记系统”或 t_legal_person。",
        "“Basic data of legal persons”, not “Company register system” or t_legal_person."),
      rule: Text("不得与信息系统同名，本单位内不重名，最多 128 字。", "No system's name, unique in the organisation, at most 128 characters.")
    ),
    "code": ElementGuide(
      number: 3, words: ElementWords(Text("信息资源代码", "Code")), example: Text("3070120337/000001", "3070120337/000001"),
      rule: Text(
        "审核通过时由平台按提供方的分类节点编号，终身不变，不重复使用。",
        "Given by the platform on approval, by the provider's node; never changed and never given again.")),
    "provider": ElementGuide(
      number: 4, words: ElementWords(Text("信息资源提供方", "Provider")), example: Text("青海省民政厅", "青海省民政厅"),
      rule: Text("编制人所在单位的全称，由平台填写。", "The full name of the compiler's organisation, written by the platform.")),
    "providerCode": ElementGuide(
      number: 5, words: ElementWords(Text("提供方代码", "Provider's code")),
      example: Text("18 位统一社会信用代码", "The unified social credit code of 18 characters"),
      rule: Text("按 GB 32100-2015 校验，由平台填写。", "Checked by GB 32100-2015, written by the platform.")),
    "abstract": ElementGuide(
      number: 6, words: .abstract,
      example: Text(
        "全省企业法人的登记事项，含名称、法定代表人、住所和状态，来自企业登记系统，每日更新。",
        "What is registered of the province's legal persons: name, representative, address and state, from the company register, updated daily."
      ),
      rule: Text("至少 10 字、最多 1,000 字，不能只重复名称。", "10 to 1,000 characters, and more than the name again.")),
    "system": ElementGuide(
      number: nil, words: .system, example: Text("XT63-000001 企业登记系统", "XT63-000001 Company register"),
      rule: Text("数据库类资源须关联本单位登记的信息系统。", "A database resource belongs to a system that your organisation registered.")),
    "format": ElementGuide(
      number: 7, words: .format, example: Text("数据库 · mysql；电子表格 · xlsx", "Database · mysql; spreadsheet · xlsx"),
      rule: Text("按数据实际存放的形式选择，不是想要提供的形式。", "As the data really is kept, not as you would like to give it.")),
    "items": ElementGuide(
      number: 8, words: ElementWords(Text("信息项信息", "Items")),
      example: Text("统一社会信用代码，字符型，18；登记日期，日期型", "Credit code, text, 18; date of registration, date"),
      rule: Text(
        "数据库、表格等结构化资源须逐项列出名称和类型，项名不重复，字符型和数值型写长度。",
        "Structured resources list each item with name and type; names once each; lengths for text and numbers.")),
    "sharingType": ElementGuide(
      number: 9, words: .sharingType, example: Text("有条件共享", "Conditional"),
      rule: Text(
        "国发〔2016〕51号：不予共享须有法律、行政法规或党中央、国务院政策依据。",
        "State Council 2016 No. 51: refusing needs a law, a regulation or a State policy.")),
    "sharingCondition": ElementGuide(
      number: 9, words: .sharingCondition,
      example: Text(
        "有条件：用于社会救助对象资格核对。不予共享：《中华人民共和国统计法》第九条。",
        "Conditional: to check applicants for social assistance. Refused: 《中华人民共和国统计法》第九条."),
      rule: Text(
        "无条件共享不写；其余必填，依据用书名号写出名称和条款。",
        "Empty for unconditional sharing; else needed, with the law's name in title marks.")),
    "methodClass": ElementGuide(
      number: 9, words: .methodClass, example: Text("共享平台方式", "Through the platform"),
      rule: Text("不予共享的不选。", "None for what is not shared.")),
    "methodType": ElementGuide(
      number: 9, words: .methodType, example: Text("数据库", "Table"),
      rule: Text("格式是文件的以文件共享，格式是数据库的以数据库或接口共享。", "Files are shared as files, databases as tables or interfaces.")),
    "openType": ElementGuide(
      number: 10, words: .openType, example: Text("不开放", "Not open"),
      rule: Text("含敏感信息项或不予共享的，不能普遍开放。", "What has sensitive items or is not shared cannot be open to all.")),
    "openCondition": ElementGuide(
      number: 10, words: .openCondition, example: Text("申请人须承诺不用于商业用途。", "The applicant promises no commercial use."),
      rule: Text("依申请开放时必填。", "Needed for opening on application.")),
    "cycle": ElementGuide(
      number: 11, words: .cycle, example: Text("每日", "Daily"),
      rule: Text("按数据真实更新的频度，平台据此判断是否过期。", "As the data really changes; staleness is judged by it.")),
    "publishedOn": ElementGuide(
      number: 12, words: ElementWords(Text("发布日期", "Date of publication")), example: Text("2026-08-20", "2026-08-20"),
      rule: Text("发布时由平台填写。", "Written by the platform when it is published.")),
    "related": ElementGuide(
      number: 13, words: .related, example: Text("3070120337/000001", "3070120337/000001"),
      rule: Text("须是已发布目录的代码。", "Codes of published entries.")),
    "secrecy": ElementGuide(
      number: nil, words: .secrecy, example: Text("非涉密", "Not secret"),
      rule: Text("涉密资源不得在本网登记，请在涉密网办理。", "Secret resources are registered on the classified network only.")),
    "level": ElementGuide(
      number: nil, words: .level, example: Text("省级", "Provincial"),
      rule: Text("资源属于哪一级的目录。", "The level of government whose catalogue it belongs to.")),
  ]
}
