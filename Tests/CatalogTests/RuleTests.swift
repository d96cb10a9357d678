import Catalog
import Connecting
import Identity
import Inventory
import Kernel
import Testing

private let today = CalendarDate("2026-08-20")!

private func item(_ name: String, _ column: String, _ spoil: (inout Item) -> Void = { _ in }) -> Item {
  var item = Item(
    id: .make(at: Offices.start), name: name, column: column, dataType: "C", length: 20, isNullable: false, type: .text)
  spoil(&item)
  return item
}

/// An entry no rule complains about.
private let sound = Resource(
  id: .make(at: Offices.start), provider: Offices.civilAffairs.id, providerName: Offices.civilAffairs.name,
  providerCode: Offices.civilAffairs.creditCode, system: .make(at: Offices.start),
  metadata: Metadata(
    name: "城乡低保对象信息", classes: ["3070120337"], abstract: "全省城乡最低生活保障对象的基本信息和待遇发放情况。", format: "0311",
    sharingType: "2", sharingCondition: "用于社会救助资格核对。", methodClass: "1", methodType: "1", openType: "3",
    cycle: "4"),
  items: [item("身份标识", "person_id") { $0.isKey = true }, item("家庭地址", "address") { $0.isNullable = true }],
  mount: Mount(
    source: .make(at: Offices.start), table: TableName("person"), keyColumns: ["person_id"], cursorColumn: nil),
  changedAt: Offices.start)

private func spoiled(_ spoil: (inout Resource) -> Void) -> Resource {
  var resource = sound
  spoil(&resource)
  return resource
}

private func codes(_ resource: Resource, _ change: (inout RuleContext) -> Void = { _ in }) -> [String] {
  var context = RuleContext(today: today)
  change(&context)
  return findings(of: resource, in: context).map { "\($0.severity.rawValue) \($0.code) \($0.field)" }
}

@Suite struct `The rules of an entry` {
  @Test func `a sound entry has no findings`() {
    #expect(codes(sound) == [])
  }

  @Test func `a code that there is not is told as such, not as missing`() throws {
    let wrong = spoiled { $0.metadata.format = "9999" }
    let context = RuleContext(today: CalendarDate("2026-08-20")!)
    let told = try #require(findings(of: wrong, in: context).first { $0.field == "format" })
    #expect(told.message.chinese.hasPrefix("“9999”不是可选的信息资源格式"), "\(told.message.chinese)")
    #expect(told.message.english.contains("“9999” is not a format"), "\(told.message.english)")
  }

  @Test(arguments: [
    ("error classes.missing classes", spoiled { $0.metadata.classes = [] }),
    ("error classes.unknown classes", spoiled { $0.metadata.classes = ["3070120337", "999"] }),
    ("error classes.repeated classes", spoiled { $0.metadata.classes = ["3070120337", "3070120337"] }),
    ("error classes.shallow classes", spoiled { $0.metadata.classes = ["307"] }),
    ("error name.missing name", spoiled { $0.metadata.name = "" }),
    ("error text.long name", spoiled { $0.metadata.name = String(repeating: "名", count: 129) }),
    ("warning name.like-system name", spoiled { $0.metadata.name = "低保管理系统" }),
    ("warning name.not-chinese name", spoiled { $0.metadata.name = "t_person" }),
    ("error text.control name", spoiled { $0.metadata.name = "低保\u{1}对象" }),
    ("error provider.code provider", spoiled { $0.providerCode = "11630000015000000A" }),
    ("error abstract.missing abstract", spoiled { $0.metadata.abstract = "" }),
    ("warning abstract.short abstract", spoiled { $0.metadata.abstract = "低保" }),
    ("error text.long abstract", spoiled { $0.metadata.abstract = String(repeating: "字", count: 1001) }),
    ("error format.missing format", spoiled { $0.metadata.format = "" }),
    ("error format.unknown format", spoiled { $0.metadata.format = "0399" }),
    ("error sharing.unknown sharingType", spoiled { $0.metadata.sharingType = "9" }),
    ("error method.unknown methodClass", spoiled { $0.metadata.methodClass = "9" }),
    ("error method.type-unknown methodType", spoiled { $0.metadata.methodType = "9" }),
    ("error open.unknown openType", spoiled { $0.metadata.openType = "9" }),
    ("error system.missing system", spoiled { $0.system = nil }),
    ("error sharing.missing sharingType", spoiled { $0.metadata.sharingType = "" }),
    ("error sharing.condition-missing sharingCondition", spoiled { $0.metadata.sharingCondition = "" }),
    ("warning sharing.condition-idle sharingCondition", spoiled { $0.metadata.sharingType = "1" }),
    ("error method.missing methodClass", spoiled { $0.metadata.methodClass = "" }),
    ("error method.type-missing methodType", spoiled { $0.metadata.methodType = "" }),
    ("error method.format methodType", spoiled { $0.metadata.methodType = "2" }),
    ("error method.format methodType", spoiled { $0.metadata.format = "0105" }),
    ("error open.missing openType", spoiled { $0.metadata.openType = "" }),
    ("error open.condition-missing openCondition", spoiled { $0.metadata.openType = "2" }),
    ("error cycle.missing cycle", spoiled { $0.metadata.cycle = "" }),
    ("error cycle.unknown cycle", spoiled { $0.metadata.cycle = "0" }),
    ("error related.malformed related", spoiled { $0.metadata.related = ["3070120337-1"] }),
    ("error secrecy.secret secrecy", spoiled { $0.metadata.secrecy = "1" }),
    ("error level.missing level", spoiled { $0.metadata.level = "" }),
    ("error level.unknown level", spoiled { $0.metadata.level = "7" }),
    ("hint mount.missing mount", spoiled { $0.mount = nil }),
    ("error mount.no-key keys", spoiled { $0.mount?.keyColumns = [] }),
    ("error mount.column-unlisted keys", spoiled { $0.mount?.keyColumns = ["id"] }),
    ("error mount.column-unlisted cursor", spoiled { $0.mount?.cursorColumn = "updated_at" }),
    ("error item.name-missing item.1.name", spoiled { $0.items[1].name = "" }),
    ("error item.name-repeated item.1.name", spoiled { $0.items[1].name = "身份标识" }),
    ("warning item.name-not-chinese item.1.name", spoiled { $0.items[1].name = "addr" }),
    ("error item.column-missing item.1.column", spoiled { $0.items[1].column = "" }),
    ("error item.column-repeated item.1.column", spoiled { $0.items[1].column = "person_id" }),
    ("error item.type-missing item.1.dataType", spoiled { $0.items[1].dataType = "" }),
    ("error item.type-unknown item.1.dataType", spoiled { $0.items[1].dataType = "X" }),
    ("error item.length-missing item.1.length", spoiled { $0.items[1].length = nil }),
    ("error item.length-missing item.1.length", spoiled { $0.items[1].length = 0 }),
    (
      "error item.scale-wrong item.1.scale",
      spoiled {
        $0.items[1].dataType = "N"
        $0.items[1].scale = 21
      }
    ),
    ("warning item.not-carried item.1.column", spoiled { $0.items[1].type = nil }),
    ("warning item.key-nullable item.0.isNullable", spoiled { $0.items[0].isNullable = true }),
    ("error item.semantic-unknown item.1.semantic", spoiled { $0.items[1].semantic = "shoe-size" }),
    ("error item.grade-missing item.1.grade", spoiled { $0.items[1].grade = "" }),
    ("error item.grade-unknown item.1.grade", spoiled { $0.items[1].grade = "9" }),
    ("warning item.grade-low item.1.grade", spoiled { $0.items[1].semantic = "citizen-id" }),
    ("error item.sharing-unknown item.1.sharingType", spoiled { $0.items[1].sharingType = "4" }),
    ("error item.sharing-reason item.1.sharingCondition", spoiled { $0.items[1].sharingType = "3" }),
  ])
  func `each thing that is wrong is found at its field`(expected: String, wrong: Resource) {
    #expect(codes(wrong).contains(expected), "\(codes(wrong))")
  }

  @Test func `refusing to share needs a basis that is named`() {
    func refused(_ basis: String) -> [String] {
      codes(
        spoiled {
          $0.metadata.sharingType = "3"
          $0.metadata.sharingCondition = basis
          $0.metadata.methodClass = ""
          $0.metadata.methodType = ""
          $0.mount = nil
        })
    }
    #expect(refused("") == ["error sharing.basis-missing sharingCondition"])
    #expect(refused("领导不同意") == ["error sharing.basis-unnamed sharingCondition"])
    #expect(refused("《中华人民共和国统计法》第九条") == [])
    let wider = spoiled {
      $0.metadata.sharingType = "3"
      $0.metadata.sharingCondition = "《统计法》第九条"
      $0.items[1].sharingType = "1"
    }
    #expect(codes(wider).contains("error item.sharing-wider item.1.sharingType"))
  }

  @Test func `what only the store knows is asked of the context`() {
    #expect(codes(sound) { $0.isSystemName = true } == ["error name.is-system name"])
    #expect(codes(sound) { $0.nameIsTaken = true } == ["error name.taken name"])
    #expect(codes(sound) { $0.providerStands = false } == ["error provider.ended provider"])
    let related = spoiled { $0.metadata.related = ["3070120337/000001"] }
    #expect(codes(related) == [])
    #expect(codes(related) { $0.unknownRelated = ["3070120337/000001"] } == ["error related.unknown related"])
  }

  @Test func `sensitive items are neither open to all nor unconditional`() {
    let open = spoiled {
      $0.metadata.openType = "1"
      $0.items[1].grade = "4"
    }
    #expect(codes(open).contains("error open.sensitive openType"))
    let unconditional = spoiled {
      $0.metadata.sharingType = "1"
      $0.metadata.sharingCondition = ""
      $0.items[1].grade = "3"
    }
    #expect(codes(unconditional) == ["warning item.sensitive-unconditional item.1.sharingType"])
  }

  @Test func `a structured resource lists its items`() {
    let empty = spoiled {
      $0.items = []
      $0.mount = nil
    }
    #expect(codes(empty).contains("error items.missing items"))
    let document = spoiled {
      $0.items = []
      $0.mount = nil
      $0.metadata.format = "0105"
      $0.metadata.methodType = "2"
    }
    #expect(codes(document).contains("hint items.missing items"))
  }

  @Test func `every finding speaks both languages and says whose rule it is`() {
    let wrecked = spoiled {
      $0.metadata = Metadata(classes: ["999"], secrecy: "1", level: "")
      $0.items[0].name = ""
      $0.providerCode = ""
    }
    let found = findings(of: wrecked, in: RuleContext(today: today))
    #expect(found.count > 8)
    for finding in found {
      #expect(!finding.message.chinese.isEmpty && !finding.message.english.isEmpty)
      #expect(!finding.source.chinese.isEmpty && !finding.source.english.isEmpty)
    }
    #expect(found.refusal?.faults.count == found.filter { $0.severity == .error }.count)
  }
}

extension Resource: CustomTestStringConvertible {
  public var testDescription: String { metadata.name }
}
