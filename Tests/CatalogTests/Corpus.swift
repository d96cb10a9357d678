import Connecting
import Identity
import Inventory
import Kernel
import Storage

@testable import Catalog

/// Plausible entries, each a pure function of its number: names put together from what offices really call their data.
struct Corpus: Sendable {
  struct Made: Sendable {
    var name: String
    var abstract: String
    var node: String
    var provider: Int
    var providerName: String
    var sharingType: String
    var format: String
    var cycle: String
    var isMounted: Bool
    /// Of a mounted one.
    var freshness: Freshness
    var code: String
    /// All that is searched, as one text.
    var text: String
  }

  let entries: [Made]

  init(count: Int) {
    let places = [
      "青海省", "西宁市", "海东市", "海北州", "黄南州", "海南州", "果洛州", "玉树州", "海西州", "湟中区", "格尔木市", "德令哈市", "共和县", "同仁市", "大通县",
    ]
    let subjects = [
      "企业登记", "个体工商户", "婚姻登记", "低保对象", "社会救助", "不动产登记", "机动车", "驾驶证", "户籍人口", "医疗机构", "执业医师", "学籍", "高校毕业生", "食品经营许可",
      "药品生产许可", "排污许可", "水质监测", "空气质量", "草原承包", "林权", "矿业权", "建设工程规划", "施工许可", "客运车辆", "道路运输", "社会保险参保", "养老金发放",
      "残疾人证", "退役军人",
      "社会组织", "慈善组织", "行政处罚", "行政许可", "纳税信用", "公积金缴存", "用电", "供水", "气象观测", "地震台站", "文物保护单位",
    ]
    let kinds = ["信息", "基本信息", "明细", "统计", "名录", "变更信息", "年度汇总", "注销信息", "核验信息", "台账"]
    let nodes = ["201001", "202", "203", "20401", "205", "207", "210", "211001", "211002", "214", "216", "3070120337"]
      .filter { Classification.embedded[$0] != nil }
    let cycles = ["1", "3", "4", "6", "7", "9"]
    entries = (0..<count).map { index in
      var seed = UInt64(index) &* 0x9E37_79B9_7F4A_7C15 &+ 2017
      func pick<T>(_ values: [T]) -> T {
        seed = (seed ^ (seed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        seed = (seed ^ (seed >> 27)) &* 0x94D0_49BB_1331_11EB
        seed ^= seed >> 31
        return values[Int(seed % UInt64(values.count))]
      }
      let place = pick(places)
      let subject = pick(subjects)
      let node = pick(nodes)
      let provider = Int(seed % 60)
      let name = "\(place)\(subject)\(pick(kinds))（\(index)批）"
      let abstract = "\(place)\(pick(subjects))与\(subject)有关的数据，由业务办理产生，含办理时间、办理机构和结果。"
      let code = ResourceCode(node: "3070120337", number: index + 1).description
      let providerName = "第\(provider)委办局"
      let text = foldedForSearch(
        [name, abstract, code, providerName, node, Classification.embedded.name(of: node)].joined(separator: " "))
      return Made(
        name: name, abstract: abstract, node: node, provider: provider, providerName: providerName,
        sharingType: pick(["1", "2", "2", "3"]), format: pick(["0311", "0311", "0310", "0203", "0105"]),
        cycle: pick(cycles), isMounted: pick([true, false]), freshness: pick([.current, .current, .late]), code: code,
        text: text)
    }
  }

  /// Puts them in force, without the long way through review.
  func fill(_ db: any Database, _ numbers: Range<Int>? = nil) async throws {
    let entries = entries[numbers ?? entries.indices]
    for start in stride(from: entries.startIndex, to: entries.endIndex, by: 2000) {
      try await db.write { tx in
        let resources = entries[start..<min(start + 2000, entries.endIndex)].map(Self.resource)
        try CatalogStore.insert(resources.map(\.resource), in: tx)
        try CatalogSearch.put(
          resources, publishedOn: Offices.start.dateInChina, classification: .embedded, in: tx)
      }
    }
  }

  /// As many events as entries: a table of a few rows is rightly read whole, whatever its indexes.
  static func lengthen(_ db: any Database) async throws {
    try await db.write { tx in
      try tx.run(
        """
        INSERT INTO catalog_event (resource, position, version, at, person, organisation, event, words)
        SELECT id, 1, 1, made_at, 'p', 'o', 'edit', '' FROM catalog_resource
        """)
    }
  }

  private static func resource(_ made: Made) -> (resource: Resource, condition: CatalogSearch.Condition) {
    let resource = Resource(
      id: .make(at: Offices.start), state: .published, code: ResourceCode(made.code),
      provider: OrganisationID(trusted: "office-\(made.provider)"), providerName: made.providerName,
      providerCode: Offices.market.creditCode, system: nil,
      metadata: Metadata(
        name: made.name, classes: [made.node], abstract: made.abstract, format: made.format,
        sharingType: made.sharingType, methodClass: "1", methodType: "1", openType: "3", cycle: made.cycle),
      items: [], mount: nil, changedAt: Offices.start, publishedOn: Offices.start.dateInChina)
    return (
      resource,
      CatalogSearch.Condition(isMounted: made.isMounted, freshness: made.isMounted ? made.freshness : .unknown)
    )
  }
}
