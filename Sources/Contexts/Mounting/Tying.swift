internal import Audit
package import Catalog
package import Connecting
package import Inventory
package import Kernel
internal import Storage

// Tying an entry that was compiled by hand or from a workbook to what really holds it.

extension Mounting {
  /// An entry before it is tied, with what it could be tied to.
  package struct TyingView: Sendable {
    package var resource: Resource
    package var ties: [View]
    package var sources: [DataSource]
  }

  package func tying(_ principal: Principal, _ id: ResourceID) async throws -> TyingView {
    try principal.require(.manageMounting)
    let resource = try await cataloguing.latest(principal, id)
    let ties = try await ties(of: id, for: principal)
    let sources = try await db.read { tx in
      try InventoryStore.systems(of: resource.provider, in: tx)
        .filter { resource.system == nil || resource.system == $0.id }
        .flatMap { try InventoryStore.sources(of: $0.id, in: tx) }
    }
    return TyingView(resource: resource, ties: ties, sources: sources)
  }

  /// What tying an entry to a table would mean: which column each item is, and what does not fit.
  package struct Fitting: Sendable {
    package var resource: Resource
    package var source: DataSource
    package var table: TableDescription
    package var columns: [ItemID: String]
    package var misfits: [ItemID: Text]
    /// Columns that no item describes.
    package var left: [String]
  }

  package func fitting(
    _ principal: Principal, _ id: ResourceID, source: SourceID, table: TableName
  ) async throws -> Fitting {
    try principal.require(.manageMounting)
    let resource = try await cataloguing.latest(principal, id)
    let (found, described) = try await register.describe(principal, source, table, for: .manageMounting)
    let columns = matches(resource.items, described)
    let taken = Set(columns.values)
    return Fitting(
      resource: resource, source: found, table: described, columns: columns,
      misfits: Self.doubts(of: resource, columns, described),
      left: described.columns.map(\.name).filter { !taken.contains($0) })
  }

  /// What a person must look at, item by item: no column found, or one of another sort than the item says.
  static func doubts(
    of resource: Resource, _ columns: [ItemID: String], _ table: TableDescription
  ) -> [ItemID: Text] {
    let drafted = Catalog.draft(
      from: table, sample: TableSample(values: [:], rows: 0), connector: "", classNode: nil, at: resource.changedAt
    ).items
    var found: [ItemID: Text] = [:]
    for item in resource.items {
      guard let name = columns[item.id], let column = table.column(name) else {
        found[item.id] = Text("没有对应的列", "no column fits")
        continue
      }
      let likely = drafted.first { $0.column == name }
      if column.type == nil {
        found[item.id] = Text("类型 \(column.nativeType) 不能传送", "\(column.nativeType) cannot be carried")
      } else if let likely, !item.dataType.isEmpty, likely.dataType != item.dataType {
        found[item.id] = Text(
          "信息项类型为 \(item.dataType)，列为 \(column.nativeType)",
          "the item is of type \(item.dataType), the column \(column.nativeType)")
      } else if let length = item.length, let wide = column.length, wide > length {
        found[item.id] = Text(
          "列可长达 \(wide) 字，信息项为 \(length)", "the column takes \(wide) characters, the item \(length)")
      }
    }
    return found
  }

  /// Ties a draft to a table: items take the columns chosen for them and the table's types, and the tie is tested. What
  /// is in force is changed by a new version. Refused are a choice of nothing, items and columns that there are none of
  /// (at `item.` and `column.`, with the item's id), and an unknown `cursor`.
  package func tie(
    _ principal: Principal, _ id: ResourceID, from revision: Int, source: SourceID, table: TableName,
    columns: [ItemID: String], cursor: String?
  ) async throws -> Resource {
    try principal.require(.manageMounting)
    let resource = try await cataloguing.latest(principal, id)
    let (_, described) = try await register.describe(principal, source, table, for: .manageMounting)
    guard !columns.isEmpty else {
      throw Refusal.invalid(
        "mounting.columns", "columns", Text("请至少为一个信息项选择列。", "Choose a column for one item at least."))
    }
    let unknown = Self.unknown(columns, cursor, of: resource, in: described)
    if !unknown.isEmpty { throw Refusal.invalid("mounting.columns", unknown) }
    guard Set(columns.values).count == columns.count else {
      throw Refusal.invalid(
        "mounting.column-twice", "columns", Text("同一列不能对应两个信息项。", "One column cannot be two items."))
    }
    let items = resource.items.map { item in
      var item = item
      let column = columns[item.id].flatMap { described.column($0) }
      if let column { item.column = column.name }
      item.type = column?.type
      item.isKey = column?.keyPosition != nil
      return item
    }
    let held = Set(items.compactMap { $0.type == nil ? nil : $0.column })
    let keys = described.key.map(\.name).filter(held.contains)
    let mount = Mount(source: source, table: described.name, keyColumns: keys, cursorColumn: cursor)
    return try await cataloguing.edit(principal, id, from: revision, .init(items: items, mount: .some(mount))).resource
  }

  private static func unknown(
    _ columns: [ItemID: String], _ cursor: String?, of resource: Resource, in table: TableDescription
  ) -> [Refusal.Fault] {
    let items = Set(resource.items.map(\.id))
    var faults: [Refusal.Fault] = []
    for (item, name) in columns.sorted(by: { $0.key < $1.key }) {
      if !items.contains(item) {
        faults.append(.init("item.\(item)", Text("目录没有这个信息项。", "The entry has no such item.")))
      }
      if table.column(name) == nil {
        faults.append(
          .init(
            "column.\(item)", Text("表中没有“\(name.prefix(60))”列。", "The table has no column “\(name.prefix(60))”.")))
      }
    }
    if let cursor, table.column(cursor) == nil {
      faults.append(
        .init("cursor", Text("表中没有“\(cursor.prefix(60))”列。", "The table has no column “\(cursor.prefix(60))”.")))
    }
    return faults
  }

  /// Ties an entry to files or to a service: nothing of its contract changes, so no version is needed.
  package func tie(_ principal: Principal, _ id: ResourceID, to target: Tie.Target) async throws -> Tie {
    try principal.require(.manageMounting)
    let latest = try await cataloguing.latest(principal, id)
    switch target {
    case .table: throw Self.unknown
    case .files(let source, let pattern):
      let found = try await register.unattended(source).source
      guard found.owner == latest.provider, found.settings["folder"] != nil else {
        throw Refusal.invalid(
          "mounting.source", "source", Text("请选择本单位的文件夹数据源。", "Choose a folder of your organisation."))
      }
      if let fault = FileSet.fault(inPattern: pattern) {
        throw Refusal.invalid("mounting.pattern", "pattern", fault)
      }
    case .api(let url, let status, _):
      if let fault = services.fault(url) { throw Refusal.invalid("mounting.url", "url", fault) }
      guard (100...599).contains(status) else {
        throw Refusal.invalid("mounting.status", "status", Text("状态码应为 100 到 599。", "A status is 100 to 599."))
      }
    }
    let now = clock.now()
    return try await db.write { tx in
      let current = try CatalogStore.published(id, in: tx)
      let resource = current ?? latest
      let before = try TieStore.ties(of: id, in: tx).first { $0.target.kind == target.kind }
      var tie = before ?? Tie(resource, target, isInForce: current != nil, at: now)
      if before != nil {
        tie.retarget(target, at: now)
        try TieStore.update(tie, in: tx)
      } else {
        try TieStore.insert(tie, in: tx)
      }
      try record("mounting.tie.make", tie, by: principal, at: now, in: tx)
      try Self.test(tie.id, at: now, in: tx)
      return tie
    }
  }

  /// Gives up a tie to files or a service. A table's tie goes with the entry's mount.
  package func untie(_ principal: Principal, _ id: TieID) async throws -> Tie {
    try principal.require(.manageMounting)
    let now = clock.now()
    return try await db.write { tx in
      guard let tie = try TieStore.find(id, in: tx), principal.organisation == tie.provider else { throw Self.unknown }
      guard tie.target.kind != .table else {
        throw Refusal(
          .conflict, "mounting.table-tie",
          Text("库表挂接随目录版本变更，请编制新版本。", "A table's mount changes with the entry: write a new version."))
      }
      try Self.end(tie, by: principal, at: now, in: tx)
      try record("mounting.tie.end", tie, by: principal, at: now, in: tx)
      if tie.isInForce { try Self.tellSearch(of: tie.resource, in: tx) }
      return tie
    }
  }
}
