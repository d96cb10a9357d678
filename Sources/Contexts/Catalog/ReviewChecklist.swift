internal import Kernel

/// What the rules found, as the list a reviewer goes through: the 13 elements of the core metadata, then the rules that
/// practice added. Every finding stands at exactly one check.
struct ReviewChecklist: Sendable {
  struct Check: Sendable {
    /// The element's number; nil for a rule of practice.
    var element: Int?
    var title: Text
    var findings: [Finding]

    var severity: Finding.Severity? { findings.map(\.severity).min() }
  }

  private(set) var elements: [Check]
  private(set) var practice: [Check]

  var failed: Int { (elements + practice).count { $0.severity == .error } }
  var doubtful: Int { (elements + practice).count { $0.severity == .warning } }
  var passed: Int { (elements + practice).count { $0.severity == nil || $0.severity == .hint } }

  init(_ findings: [Finding]) {
    var left = findings
    func take(_ matches: (Finding) -> Bool) -> [Finding] {
      let taken = left.filter(matches)
      left.removeAll(where: matches)
      return taken
    }
    practice = Self.rules.map { title, codes in
      Check(element: nil, title: title, findings: take { codes.contains($0.code) })
    }
    elements = Self.fields.map { number, title, fields in
      Check(element: number, title: title, findings: take { fields.contains($0.field) || fields.contains($0.code) })
    }
    // What remains is about items, whose fields have numbers.
    let items = elements.firstIndex { $0.element == 8 } ?? 0
    elements[items].findings += left
  }

  private static let rules: [(Text, Set<String>)] = [
    (Text("不以系统名作资源名", "Not named after a system"), ["name.is-system", "name.like-system"]),
    (Text("本单位内不重名", "The name is unique in its organisation"), ["name.taken"]),
    (Text("文件以文件共享，数据库以数据库或接口共享", "Files shared as files, databases as tables or interfaces"), ["method.format"]),
    (
      Text("有条件共享写明条件", "Conditional sharing states its condition"),
      ["sharing.condition-missing", "item.sharing-reason"]
    ),
    (
      Text("不予共享写明法律依据", "Refusal to share states its legal basis"),
      ["sharing.basis-missing", "sharing.basis-unnamed"]
    ),
    (Text("数据库类资源关联信息系统", "A database resource belongs to a system"), ["system.missing"]),
    (Text("敏感信息项不普遍开放", "Sensitive items are not open to all"), ["open.sensitive", "open.not-shared"]),
    (Text("不含涉密资源", "Nothing secret"), ["secrecy.secret"]),
    (Text("挂接完整", "Mounted, with its key"), ["mount.missing", "mount.no-key", "mount.column-unlisted"]),
  ]

  private static let fields: [(Int, Text, Set<String>)] = [
    (1, ElementWords.classes.title, ["classes", "level"]), (2, ElementWords.name.title, ["name"]),
    (3, Text("信息资源代码", "Code"), ["code"]), (4, Text("信息资源提供方", "Provider"), ["provider.ended"]),
    (5, Text("提供方代码（校验位正确）", "Provider's code, its check character right"), ["provider"]),
    (6, ElementWords.abstract.title, ["abstract"]),
    (7, ElementWords.format.title, ["format", "system"]),
    (8, Text("信息项信息", "Items"), ["items", "keys", "cursor", "mount"]),
    (
      9, Text("共享属性", "Sharing"),
      ["sharingType", "sharingCondition", "methodClass", "methodType"]
    ),
    (10, ElementWords.openType.title, ["openType", "openCondition"]), (11, ElementWords.cycle.title, ["cycle"]),
    (12, Text("发布日期", "Date of publication"), ["publishedOn"]),
    (13, ElementWords.related.title, ["related", "secrecy"]),
  ]
}
