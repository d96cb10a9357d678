import CStripes
import Connecting
import Kernel
import NationalCrypto
import Reshaping

/// A delivery plan checked and made ready for the loop over bytes.
struct CompiledPlan {
  let plan: DeliveryPlan
  let keys: GrantKeys
  /// Columns as they are read: the granted items in order, then the cursor where it is not one of them.
  let readColumns: [ReadPlan.Column]
  let fields: [FieldPlan]
  /// Indices of the key's items, in the key's order.
  let key: [Int]
  /// Where the same stand among the columns as they are read.
  let readKey: [Int]
  let cursor: Int?
  let schemaDigest: String
  /// Nil for the many plans that deliver columns as they are read.
  let reshaping: ReshapingPlan?
  /// The items' names as a bad row gives them; behind them what is wrong with the row as a whole.
  let faultNames: [String]
  /// How many bytes of text a key may have on the target.
  var longestKey = Int.max
  var batchBytes: Int
  /// A change must bear every field: values are computed from others, or the target cannot fill in what did not change.
  var needsWholeRows: Bool

  init(_ plan: DeliveryPlan, on today: CalendarDate) throws(ConnectorError) {
    var plan = plan
    // The log tells what changed.
    if plan.mode == .changes { plan.cursor = nil }
    self.plan = plan
    try Self.check(plan)
    keys = GrantKeys(secret: plan.secret, grant: plan.grant)
    reshaping = try ReshapingPlan(plan, on: today)
    needsWholeRows = reshaping != nil
    batchBytes = plan.batchBytes
    var columns = reshaping?.columns ?? plan.items.map { ReadPlan.Column($0.name, $0.type) }
    if let cursor = plan.cursor {
      if let place = columns.firstIndex(where: { $0.name == cursor.name }) {
        self.cursor = place
      } else {
        self.cursor = columns.count
        columns.append(ReadPlan.Column(cursor.name, cursor.type))
      }
    } else {
      cursor = nil
    }
    readColumns = columns
    key = plan.key.compactMap { name in plan.items.firstIndex { $0.name == name } }
    readKey = key.compactMap { item in columns.firstIndex { $0.name == plan.items[item].sourceColumn } }
    faultNames = reshaping.map { plan.items.map(\.name) + [$0.filterName] } ?? columns.map(\.name)
    let horizon = CitizenID.Horizon(today)
    fields =
      plan.items.enumerated().map { [key] in FieldPlan($1, isKey: key.contains($0), horizon: horizon) }
      + (reshaping == nil ? columns.dropFirst(plan.items.count).map { FieldPlan(undelivered: $0.type) } : [])
    schemaDigest = Self.digest(of: plan)
  }

  func readPlan(_ range: ReadPlan.Range) -> ReadPlan {
    ReadPlan(
      table: plan.source, columns: readColumns, key: readKey, cursor: cursor, range: range, through: plan.part?.through,
      view: plan.part?.view)
  }

  var writePlan: WritePlan {
    WritePlan(
      table: plan.target, columns: plan.items.map(\.target), key: key,
      stream: plan.part.map { WritePlan.partStream($0.index, of: plan.grant) } ?? plan.grant, run: plan.run,
      fence: plan.fence, whole: plan.part == nil ? nil : plan.grant, marksDeletes: plan.marksDeletes)
  }

  private static func check(_ plan: DeliveryPlan) throws(ConnectorError) {
    guard !plan.items.isEmpty, plan.items.count <= 1_000 else {
      throw .contract("no-items", "交付需要 1 至 1000 个信息项。", "A delivery needs 1 to 1,000 items.")
    }
    guard Set(plan.items.map(\.name)).count == plan.items.count else {
      throw .contract("item-twice", "信息项重复。", "An item occurs twice.")
    }
    if let item = plan.items.first(where: { WritePlan.isReserved($0.name) }) {
      throw .contract(
        "item-reserved", "“\(item.name)”是平台保留的列名。", "“\(item.name)” is a name the platform keeps for itself.")
    }
    guard !plan.key.isEmpty, Set(plan.key).count == plan.key.count else {
      throw .contract("no-key", "交付需要主键。", "A delivery needs a key.")
    }
    for name in plan.key {
      guard let item = plan.items.first(where: { $0.name == name }) else {
        throw .contract(
          "key-not-granted", "主键“\(name)”不在授权范围内；可按假名授权。",
          "The key “\(name)” is not granted; it may be granted as a pseudonym.")
      }
      guard item.sourceColumn != nil else {
        throw .contract(
          "key-computed", "主键“\(name)”须直接取自数据源的列。", "The key “\(name)” must be a column of the source as it is.")
      }
      guard item.keepsKey else {
        throw .contract(
          "key-masked", "主键“\(name)”不能部分遮盖或去除，否则无法区分各行。",
          "The key “\(name)” cannot be partly masked or dropped: rows could not be told apart.")
      }
    }
    for item in plan.items {
      if case .keepHeadTail(let head, let tail) = item.mask, item.type != .text || head < 0 || tail < 0 {
        throw .contract("mask", "“\(item.name)”不能部分遮盖。", "“\(item.name)” cannot be masked in part.")
      }
      if case .reshaped(let mask) = item.mask, mask.facts(for: item.type) == nil {
        throw .contract("mask", "“\(item.name)”不能这样遮盖。", "“\(item.name)” cannot be masked so.")
      }
      let isForText =
        switch item.check {
        case .creditCode, .citizenID, .organisationCode, .dictionary: true
        case .none, .dates: false
        }
      if isForText && item.type != .text {
        throw .contract("check", "“\(item.name)”的校验规则只适用于文本。", "The check on “\(item.name)” is for text only.")
      }
      if case .dates = item.check, item.type != .date && item.type != .timestamp {
        throw .contract("check", "“\(item.name)”的校验规则只适用于日期。", "The check on “\(item.name)” is for dates only.")
      }
    }
    if let cursor = plan.cursor, cursor.type != .timestamp && cursor.type != .integer {
      throw .contract("cursor-type", "游标列必须是时间或整数。", "A cursor column must be a timestamp or an integer.")
    }
    guard plan.part == nil || plan.mode == .full else {
      throw .contract("part-mode", "只有全量交付可以分段。", "Only a full delivery has parts.")
    }
    guard plan.mode != .incremental || plan.cursor != nil else {
      throw .contract("no-cursor", "增量交付需要游标列。", "An incremental delivery needs a cursor column.")
    }
    guard (RowBatch.smallest...RowBatch.largest).contains(plan.batchBytes) else {
      throw .contract("batch-bytes", "批次大小应为 64 KiB 至 4 MiB。", "A batch holds 64 KiB to 4 MiB.")
    }
    guard plan.secret.count >= 16, plan.providerKey.count >= 16 else {
      throw .contract("secret", "密钥至少 16 字节。", "Secrets have at least 16 bytes.")
    }
  }

  /// What the two sides must mean by the same bytes.
  private static func digest(of plan: DeliveryPlan) -> String {
    var hash = SM3()
    hash.update("sanjiang schema 1\n")
    for item in plan.items {
      let mask =
        switch item.mask {
        case .none: "none"
        case .keepHeadTail(let head, let tail): "keep \(head) \(tail)"
        case .pseudonym: "pseudonym"
        case .drop: "drop"
        case .reshaped(let mask): mask.canonicalText
        }
      let length = item.deliveredLength.map(String.init) ?? "-"
      hash.update("\(item.name.utf8.count):\(item.name) \(item.deliveredType) \(length) \(mask)\n")
    }
    for name in plan.key { hash.update("key \(name.utf8.count):\(name)\n") }
    // Nothing for plans that do nothing on the way: their digests stay what they were.
    hash.update(ReshapingPlan.canonicalText(of: plan))
    return hash.finish().hex
  }
}

/// One field of a row as the loop sees it.
struct FieldPlan {
  enum Kind: UInt8 {
    case text, integer, decimal, double, boolean, date, timestamp, bytes
  }

  enum Check {
    case none, creditCode, organisationCode
    case citizenID(CitizenID.Horizon)
    case range(ClosedRange<Int64>)
    case dictionary(CodeSet)
  }

  enum Mask: UInt8 {
    case none, keepHeadTail, pseudonym, drop, reshaped
  }

  let kind: Kind
  let precision: Int
  let scale: Int
  let length: Int
  let isNullable: Bool
  let isKey: Bool
  let isDelivered: Bool
  let hasCheck: Bool
  let check: Check
  let mask: Mask
  let head: Int
  let tail: Int

  init(_ item: ItemContract, isKey: Bool, horizon: CitizenID.Horizon) {
    (kind, precision, scale) = Self.kind(item.type)
    length = item.length ?? Int.max
    isNullable = item.isNullable && !isKey
    self.isKey = isKey
    isDelivered = true
    check =
      switch item.check {
      case .none: .none
      case .creditCode: .creditCode
      case .organisationCode: .organisationCode
      case .citizenID: .citizenID(horizon)
      case .dictionary(let codes): .dictionary(CodeSet(codes))
      case .dates(let first, let last): .range(Self.range(first, last, item.type))
      }
    if case .none = item.check { hasCheck = false } else { hasCheck = true }
    switch item.mask {
    case .none: (mask, head, tail) = (.none, 0, 0)
    case .keepHeadTail(let first, let last): (mask, head, tail) = (.keepHeadTail, first, last)
    case .pseudonym: (mask, head, tail) = (.pseudonym, 0, 0)
    case .drop: (mask, head, tail) = (.drop, 0, 0)
    case .reshaped: (mask, head, tail) = (.reshaped, 0, 0)
    }
  }

  /// The cursor column of a grant that does not list it: read past, never delivered.
  init(undelivered type: ValueType) {
    (kind, precision, scale) = Self.kind(type)
    length = Int.max
    (isNullable, isKey, isDelivered) = (true, false, false)
    (hasCheck, check) = (false, .none)
    (mask, head, tail) = (.drop, 0, 0)
  }

  /// A value that is delivered as it is has one spelling: a decimal the item's scale, zero no sign. Nil where it has it;
  /// otherwise which two bytes are to be others. The value is good.
  @inline(__always)
  func respelled(_ value: UnsafeRawPointer) -> (place: Int, bytes: UInt16)? {
    switch kind {
    case .decimal:
      let wanted = UInt16(truncatingIfNeeded: scale)
      return UInt16(bigEndian: value.loadUnaligned(fromByteOffset: 6, as: UInt16.self)) == wanted ? nil : (6, wanted)
    case .double:
      return UInt64(bigEndian: value.loadUnaligned(as: UInt64.self)) == 0x8000_0000_0000_0000 ? (0, 0) : nil
    default: return nil
    }
  }

  /// The same for a value that may be anything.
  func respell(_ value: inout [UInt8]) {
    guard value.count >= 8 else { return }
    guard let (place, bytes) = value.withUnsafeBytes({ $0.baseAddress.flatMap { respelled($0) } }) else { return }
    (value[place], value[place + 1]) = (UInt8(truncatingIfNeeded: bytes >> 8), UInt8(truncatingIfNeeded: bytes))
  }

  private static func kind(_ type: ValueType) -> (Kind, Int, Int) {
    switch type {
    case .text: (.text, 0, 0)
    case .integer: (.integer, 0, 0)
    case .decimal(let precision, let scale): (.decimal, precision, scale)
    case .double: (.double, 0, 0)
    case .boolean: (.boolean, 0, 0)
    case .date: (.date, 0, 0)
    case .timestamp: (.timestamp, 0, 0)
    case .bytes: (.bytes, 0, 0)
    }
  }

  /// In the type's own units; a day of a timestamp is a day in China.
  private static func range(_ first: CalendarDate, _ last: CalendarDate, _ type: ValueType) -> ClosedRange<Int64> {
    let (low, high) = (Int64(first.daysSince1970 - WrittenTime.epoch), Int64(last.daysSince1970 - WrittenTime.epoch))
    guard type == .timestamp else { return low...max(low, high) }
    let (day, zone): (Int64, Int64) = (86_400_000_000, 28_800_000_000)
    return (low * day - zone)...(max(low, high) * day + day - 1 - zone)
  }
}

/// A code list asked by bytes, without making a String of each value.
struct CodeSet {
  private var buckets: [UInt64: [[UInt8]]] = [:]

  init(_ codes: Set<String>) {
    for code in codes {
      let bytes = Array(code.utf8)
      buckets[bytes.withUnsafeBytes { Self.hash($0) }, default: []].append(bytes)
    }
  }

  func contains(_ bytes: UnsafeRawBufferPointer) -> Bool {
    buckets[Self.hash(bytes)]?.contains { $0.count == bytes.count && $0.elementsEqual(bytes) } ?? false
  }

  private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    guard let base = bytes.baseAddress else { return 0 }
    return sj_siphash128(base, bytes.count, sj_hash_key(k0: 0x736A_636F, k1: 0x6465_7365)).low
  }
}
