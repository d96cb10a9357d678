import Inventory
import Kernel
import Web

enum CatalogAPI {
  static func routes(_ cataloguing: Cataloguing) -> [Route] {
    [
      .get(
        "/api/v1/catalog/resources", .permission(.readCatalog),
        summary: Text(
          "查找已发布的信息资源；参数 q、class、provider、sharing、format、cycle、mounted、after、limit（最多 100）",
          "Find published resources; parameters q, class, provider, sharing, format, cycle, mounted, after, limit (at most 100)"
        )
      ) { request in
        let hits = try await cataloguing.search(request.visitor(), CatalogRoutes.query(request))
        return .json(
          try json(
            Hits(
              total: hits.total, totalIsExact: hits.isTotalExact, next: hits.next,
              resources: hits.entries.map(Entry.init),
              facets: [
                "class": hits.classes.map(Count.init), "provider": hits.providers.map(Count.init),
                "sharing": hits.sharingTypes.map(Count.init), "format": hits.formats.map(Count.init),
                "cycle": hits.cycles.map(Count.init),
              ])))
      },
      .get(
        "/api/v1/catalog/resources/{id}", .permission(.readCatalog),
        summary: Text("一个信息资源的核心元数据和信息项；参数 version", "One resource with core metadata and items; parameter version")
      ) { request in
        let resource = try await cataloguing.resource(
          request.visitor(), request.id(), version: try CatalogRoutes.version(request))
        return .json(
          try json(Whole(resource)),
          etag: "\"\(resource.id)-\(resource.version)-\(resource.revision)-\(resource.state.rawValue)\"")
      },
    ]
  }

  private struct Hits: Encodable {
    var total: Int
    var totalIsExact: Bool
    var next: String?
    var resources: [Entry]
    var facets: [String: [Count]]
  }

  private struct Count: Encodable {
    var value: String
    var name: String
    var count: Int

    init(_ count: CatalogHits.Count) {
      value = count.value
      name = count.name.chinese
      self.count = count.count
    }
  }

  private struct Entry: Encodable {
    var id: String
    var version: Int
    var code: String
    var name: String
    var abstract: String
    var provider: String
    var providerName: String
    var classes: [String]
    var sharingType: String
    var format: String
    var cycle: String
    var isMounted: Bool
    var itemCount: Int
    var publishedOn: String

    init(_ entry: CatalogEntry) {
      id = entry.id.text
      version = entry.version
      code = entry.code
      name = entry.name
      abstract = entry.abstract
      provider = entry.provider.text
      providerName = entry.providerName
      classes = entry.classes
      sharingType = entry.sharingType
      format = entry.format
      cycle = entry.cycle
      isMounted = entry.isMounted
      itemCount = entry.itemCount
      publishedOn = entry.publishedOn.description
    }
  }

  /// Where a resource is mounted stays with its department: only that it is, and how it can be delivered.
  private struct Whole: Encodable {
    var id: String
    var version: Int
    var state: String
    var code: String?
    var name: String
    var abstract: String
    var classes: [String]
    var provider: String
    var providerName: String
    var providerCode: String
    var system: String?
    var format: String
    var sharingType: String
    var sharingCondition: String
    var methodClass: String
    var methodType: String
    var openType: String
    var openCondition: String
    var cycle: String
    var related: [String]
    var secrecy: String
    var level: String
    var publishedOn: String?
    var isMounted: Bool
    var deliversIncrementally: Bool
    var schemaDigest: String
    var items: [Part]

    init(_ resource: Resource) {
      let m = resource.metadata
      id = resource.id.text
      version = resource.version
      state = resource.state.rawValue
      code = resource.code?.description
      name = m.name
      abstract = m.abstract
      classes = m.classes
      provider = resource.provider.text
      providerName = resource.providerName
      providerCode = resource.providerCode
      system = resource.system?.text
      format = m.format
      sharingType = m.sharingType
      sharingCondition = m.sharingCondition
      methodClass = m.methodClass
      methodType = m.methodType
      openType = m.openType
      openCondition = m.openCondition
      cycle = m.cycle
      related = m.related
      secrecy = m.secrecy
      level = m.level
      publishedOn = resource.publishedOn?.description
      isMounted = resource.mount != nil
      deliversIncrementally = resource.mount?.cursorColumn != nil
      schemaDigest = resource.items.schemaDigest
      items = resource.items.map { Part($0, resource) }
    }
  }

  private struct Part: Encodable {
    var id: String
    var name: String
    var column: String
    var dataType: String
    var length: Int?
    var scale: Int?
    var isNullable: Bool
    var isKey: Bool
    var semantic: String?
    var description: String
    var sharingType: String
    var sharingCondition: String
    var grade: String

    init(_ item: Item, _ resource: Resource) {
      id = item.id.text
      name = item.name
      column = item.column
      dataType = item.dataType
      length = item.length
      scale = item.scale
      isNullable = item.isNullable
      isKey = item.isKey
      semantic = item.semantic
      description = item.description
      sharingType = resource.sharingType(of: item)
      sharingCondition = item.sharingCondition
      grade = item.grade
    }
  }
}
