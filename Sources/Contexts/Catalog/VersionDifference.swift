internal import Inventory
internal import Kernel

/// What differs between two versions of an entry, or between two entries, element by element and item by item. The order of
/// items is no difference.
struct VersionDifference: Hashable, Sendable {
  /// One element or property with its two values, in words.
  struct Change: Hashable, Sendable {
    /// As programs call it.
    var name: String
    var title: Text
    var old: Text
    var new: Text
  }

  struct ItemChange: Hashable, Sendable {
    enum Kind: String, Sendable, CaseIterable { case added, removed, changed, same }

    var kind: Kind
    /// The item as it is now, or as it was when it is gone.
    var item: Item
    var changes: [Change]
  }

  /// Elements whose values differ, in the order of the guide.
  private(set) var metadata: [Change]
  /// All items of either, those of the new one in its order, then those that are gone.
  private(set) var items: [ItemChange]

  var isEmpty: Bool { metadata.isEmpty && items.allSatisfy { $0.kind == .same } }
  func count(_ kind: ItemChange.Kind) -> Int { items.count { $0.kind == kind } }

  init(from old: Resource, to new: Resource, lists: CodeLists, classification: Classification) {
    metadata = zip(
      Self.elements(of: old, lists, classification), Self.elements(of: new, lists, classification)
    ).compactMap { before, after in
      before.value == after.value
        ? nil : Change(name: after.name, title: after.title, old: before.value, new: after.value)
    }
    // An item keeps its id from version to version; between entries, or after an import, its name or its column tells.
    var left = old.items
    func take(_ matches: (Item) -> Bool) -> Item? {
      left.firstIndex(where: matches).map { left.remove(at: $0) }
    }
    let ids = Set(old.items.map(\.id))
    items = []
    var pairs: [(Item, Item?)] = new.items.map { item in
      (item, ids.contains(item.id) ? take { $0.id == item.id } : nil)
    }
    for index in pairs.indices where pairs[index].1 == nil {
      let item = pairs[index].0
      pairs[index].1 =
        take { !$0.column.isEmpty && $0.column.lowercased() == item.column.lowercased() && $0.name == item.name }
        ?? take { foldedForSearch($0.name) == foldedForSearch(item.name) }
        ?? (old.id == new.id ? take { !$0.column.isEmpty && $0.column == item.column } : nil)
    }
    for (item, before) in pairs {
      guard let before else {
        items.append(ItemChange(kind: .added, item: item, changes: []))
        continue
      }
      let changes = zip(Self.properties(of: before, lists), Self.properties(of: item, lists))
        .compactMap { one, other in
          one.value == other.value
            ? nil : Change(name: other.name, title: other.title, old: one.value, new: other.value)
        }
      items.append(ItemChange(kind: changes.isEmpty ? .same : .changed, item: item, changes: changes))
    }
    items += left.map { ItemChange(kind: .removed, item: $0, changes: []) }
  }

  private typealias Value = (name: String, title: Text, value: Text)

  private static func elements(
    of resource: Resource, _ lists: CodeLists, _ classification: Classification
  ) -> [Value] {
    let m = resource.metadata
    func named(_ code: String, _ list: CodeList) -> Text { code.isEmpty ? Text("", "") : list.text(code) }
    let classes = m.classes.map { "\(classification.name(of: $0))（\($0)）" }.joined(separator: "；")
    return [
      ("classes", ElementWords.classes.title, Text(same: classes)),
      ("name", ElementWords.name.title, Text(same: m.name)),
      ("provider", Text("信息资源提供方", "Provider"), Text(same: resource.providerName)),
      ("providerCode", Text("提供方代码", "Provider's code"), Text(same: resource.providerCode)),
      ("abstract", ElementWords.abstract.title, Text(same: m.abstract)),
      ("format", ElementWords.format.title, named(m.format, lists.formats)),
      ("sharingType", ElementWords.sharingType.title, named(m.sharingType, lists.sharingTypes)),
      ("sharingCondition", ElementWords.sharingCondition.title, Text(same: m.sharingCondition)),
      ("methodClass", ElementWords.methodClass.title, named(m.methodClass, lists.methodClasses)),
      ("methodType", ElementWords.methodType.title, named(m.methodType, lists.methodTypes)),
      ("openType", ElementWords.openType.title, named(m.openType, lists.openTypes)),
      ("openCondition", ElementWords.openCondition.title, Text(same: m.openCondition)),
      ("cycle", ElementWords.cycle.title, named(m.cycle, lists.cycles)),
      ("related", ElementWords.related.title, Text(same: m.related.sorted().joined(separator: " "))),
      ("secrecy", ElementWords.secrecy.title, named(m.secrecy, lists.secrecies)),
      ("level", ElementWords.level.title, named(m.level, lists.levels)),
      ("keys", Text("主键项", "Key items"), Text(same: resource.mount?.keyColumns.joined(separator: "、") ?? "")),
      ("cursor", Text("增量标记列", "Change cursor"), Text(same: resource.mount?.cursorColumn ?? "")),
    ]
  }

  private static func properties(of item: Item, _ lists: CodeLists) -> [Value] {
    let size = item.length.map { length in item.scale.map { "\(length),\($0)" } ?? "\(length)" } ?? ""
    func named(_ code: String?, _ list: CodeList) -> Text {
      code.map { $0.isEmpty ? Text("", "") : list.text($0) } ?? Text("", "")
    }
    return [
      ("name", Text("名称", "Name"), Text(same: item.name)), ("column", Text("技术名称", "Column"), Text(same: item.column)),
      ("dataType", Text("数据类型", "Type"), named(item.dataType, lists.itemTypes)),
      ("length", Text("长度", "Length"), Text(same: size)),
      ("isNullable", Text("可空", "Nullable"), item.isNullable ? Text("可空", "nullable") : Text("非空", "not null")),
      ("isKey", Text("主键", "Key"), item.isKey ? Text("是", "yes") : Text("否", "no")),
      ("semantic", Text("语义", "Kind of value"), named(item.semantic, lists.semantics)),
      (
        "sharingType", Text("共享类型", "Sharing"),
        item.sharingType.map { lists.sharingTypes.text($0) } ?? Text("同资源", "as the resource")
      ),
      ("sharingCondition", Text("条件或依据", "Condition or basis"), Text(same: item.sharingCondition)),
      ("grade", Text("分级", "Grade"), named(item.grade, lists.grades)),
      ("description", Text("说明", "Description"), Text(same: item.description)),
    ]
  }
}
