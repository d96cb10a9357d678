package import Connecting
package import Inventory
package import Kernel

package typealias ResourceID = ID<Resource>
package typealias ItemID = ID<Item>

/// One version of a data resource (政务信息资源): its core metadata, its items and where they really are.
///
/// A resource keeps its id and its code for ever; versions follow each other, and what refers to one (a request, a
/// grant) keeps its number. An item keeps its id from version to version as long as it means the same column.
package struct Resource: Hashable, Sendable {
  package var id: ResourceID
  /// From 1.
  package var version: Int
  package var state: VersionState
  /// Given when it is registered (approved for the first time); nil before.
  package var code: ResourceCode?
  package var provider: OrganisationID
  /// The provider's full name and credit code as they were when this version was written.
  package var providerName: String
  package var providerCode: String
  /// The information system that holds it.
  package var system: SystemID?
  package var metadata: Metadata
  package var items: [Item]
  package var mount: Mount?
  /// Grows with each edit of a draft; a form made from an older one is refused.
  package var revision: Int
  /// Which code lists it was written under.
  package var lists: String
  package var changedAt: Instant
  /// The name of who wrote in it last.
  package var changedBy: String?
  package var submittedAt: Instant?
  /// 发布日期, element 12.
  package var publishedOn: CalendarDate?
  /// Whether the resource is offered: of the resource, whichever version this is.
  package var online: OnlineState

  package init(
    id: ResourceID, version: Int = 1, state: VersionState = .draft, code: ResourceCode? = nil,
    provider: OrganisationID, providerName: String, providerCode: String, system: SystemID?, metadata: Metadata,
    items: [Item], mount: Mount?, revision: Int = 1, lists: String = CodeLists.embedded.version, changedAt: Instant,
    changedBy: String? = nil, submittedAt: Instant? = nil, publishedOn: CalendarDate? = nil,
    online: OnlineState = .notOnline
  ) {
    self.id = id
    self.version = version
    self.state = state
    self.code = code
    self.provider = provider
    self.providerName = providerName
    self.providerCode = providerCode
    self.system = system
    self.metadata = metadata
    self.items = items
    self.mount = mount
    self.revision = revision
    self.lists = lists
    self.changedAt = changedAt
    self.changedBy = changedBy
    self.submittedAt = submittedAt
    self.publishedOn = publishedOn
    self.online = online
  }

  package func item(_ id: ItemID) -> Item? { items.first { $0.id == id } }

  /// What an item is shared as: its own type, or the resource's.
  package func sharingType(of item: Item) -> String { item.sharingType ?? metadata.sharingType }
}

/// The core metadata that a department writes (elements 1, 2, 6, 7, 9, 10, 11 and 13 of the guide; the platform writes 3, 4,
/// 5 and 12, and items are element 8). Codes are those of `CodeLists` and of the classification.
package struct Metadata: Hashable, Sendable {
  package var name: String
  /// Nodes of the classification, national and local, the primary one first.
  package var classes: [String]
  package var abstract: String
  /// Four digits; the first two are the format's class.
  package var format: String
  /// 1 unconditional, 2 conditional, 3 not shared.
  package var sharingType: String
  /// The condition and range of use, or for type 3 the legal basis.
  package var sharingCondition: String
  package var methodClass: String
  package var methodType: String
  package var openType: String
  package var openCondition: String
  package var cycle: String
  /// Codes of resources it is composed of or belongs with.
  package var related: [String]
  /// 0 not secret, 1 secret (refused on this network).
  package var secrecy: String
  package var level: String

  package init(
    name: String = "", classes: [String] = [], abstract: String = "", format: String = "", sharingType: String = "",
    sharingCondition: String = "", methodClass: String = "", methodType: String = "", openType: String = "",
    openCondition: String = "", cycle: String = "", related: [String] = [], secrecy: String = "0", level: String = "2"
  ) {
    self.name = name
    self.classes = classes
    self.abstract = abstract
    self.format = format
    self.sharingType = sharingType
    self.sharingCondition = sharingCondition
    self.methodClass = methodClass
    self.methodType = methodType
    self.openType = openType
    self.openCondition = openCondition
    self.cycle = cycle
    self.related = related
    self.secrecy = secrecy
    self.level = level
  }

  package var formatClass: String { String(format.prefix(2)) }

  package static let limits = (
    name: 128, abstract: 1000, sharingCondition: 500, openCondition: 500, related: 1000, classes: 5, items: 500
  )
}

/// One item of information (信息项, element 8), usually a column.
package struct Item: Hashable, Sendable {
  package var id: ItemID
  /// 信息项名称, in Chinese.
  package var name: String
  /// The column's technical name.
  package var column: String
  /// 数据类型: C N Y D T L M G B I F.
  package var dataType: String
  /// Characters for C, digits in all for N; nil where the type fixes it.
  package var length: Int?
  /// Digits after the point, for N.
  package var scale: Int?
  package var isNullable: Bool
  /// Part of what tells rows apart.
  package var isKey: Bool
  /// How connectors carry it; nil when none can, and then it cannot be granted.
  package var type: ValueType?
  /// What its values are, when they are a code with a rule: `uscc`, `citizen-id` (code list `semantic`).
  package var semantic: String?
  package var description: String
  /// Where it differs from the resource's.
  package var sharingType: String?
  package var sharingCondition: String
  /// 1 to 4, code list `grade`.
  package var grade: String
  /// What the guess of `semantic` rests on; nil when a person said it.
  package var evidence: Evidence?

  package init(
    id: ItemID, name: String, column: String, dataType: String, length: Int? = nil, scale: Int? = nil,
    isNullable: Bool = true, isKey: Bool = false, type: ValueType? = nil, semantic: String? = nil,
    description: String = "", sharingType: String? = nil, sharingCondition: String = "", grade: String = "2",
    evidence: Evidence? = nil
  ) {
    self.id = id
    self.name = name
    self.column = column
    self.dataType = dataType
    self.length = length
    self.scale = scale
    self.isNullable = isNullable
    self.isKey = isKey
    self.type = type
    self.semantic = semantic
    self.description = description
    self.sharingType = sharingType
    self.sharingCondition = sharingCondition
    self.grade = grade
    self.evidence = evidence
  }

  /// Of so many values that were looked at, so many passed the kind's check.
  package struct Evidence: Hashable, Sendable {
    package var valid: Int
    package var looked: Int

    package init(valid: Int, looked: Int) {
      self.valid = valid
      self.looked = looked
    }
  }

  package static let limits = (name: 128, column: 128, description: 500, sharingCondition: 500, length: 1_000_000_000)
}

/// 挂接: the table of a source that really holds the resource.
package struct Mount: Hashable, Sendable {
  package var source: SourceID
  package var table: TableName
  /// Columns that tell rows apart, in order.
  package var keyColumns: [String]
  /// The column that grows when a row changes; nil when only full deliveries are possible.
  package var cursorColumn: String?

  package init(source: SourceID, table: TableName, keyColumns: [String], cursorColumn: String?) {
    self.source = source
    self.table = table
    self.keyColumns = keyColumns
    self.cursorColumn = cursorColumn
  }
}
