import CStripes
import Connecting
import NationalCrypto
import Reshaping

/// The hot loop: rows as read become rows as delivered, or say why not. No String, no allocation per row.
///
/// Every value is checked against its contract first and masked after. One per delivery; used by one thread.
final class RowTransform {
  struct Fault {
    /// The row's place in the input batch.
    var row: Int
    var field: Int
    var fault: RowFault
  }

  private let plan: CompiledPlan
  private let fields: UnsafeMutableBufferPointer<FieldPlan>
  private let deliveredCount: Int
  private let slack: Int
  private let checksText: Bool
  private let longestKey: Int
  /// The last row's key as read, for finding the same key twice where rows come in its order.
  @exclusivity(unchecked) private var lastKey: [UInt8] = []
  /// How many fields the key has, where they are the row's first in the key's order.
  private let leadingKey: Int?
  private let watchesKeys: Bool
  private let reshaper: RowReshaper?
  private let maskers: [Masker?]

  convenience init(_ plan: CompiledPlan, for reader: any RowReader) throws(ConnectorError) {
    try self.init(plan, checksText: !reader.checksText, watchesKeys: reader.isKeyOrdered)
  }

  /// `checksText`: the database has not looked at it. `watchesKeys`: the same key comes one after the other.
  init(_ plan: CompiledPlan, checksText: Bool, watchesKeys: Bool) throws(ConnectorError) {
    self.plan = plan
    reshaper = try plan.reshaping.map { (reshaping) throws(ConnectorError) in try RowReshaper(reshaping) }
    maskers = plan.plan.items.map { plan.masker($0) }
    fields = UnsafeMutableBufferPointer.allocate(capacity: plan.fields.count)
    _ = fields.initialize(from: plan.fields)
    deliveredCount = plan.plan.items.count
    slack = plan.fields.count { $0.mask == .pseudonym } * 68 + maskers.reduce(16) { $0 + ($1?.growth ?? 0) }
    self.checksText = checksText
    longestKey = plan.longestKey
    leadingKey = plan.key == Array(0..<plan.key.count) ? plan.key.count : nil
    self.watchesKeys = watchesKeys
  }

  deinit {
    fields.deinitialize()
    fields.deallocate()
  }

  /// Fills `output` with the good rows of `input` and `origins` with where each came from; returns the bad ones.
  func run(_ input: RowBatch, into output: RowBatch, origins: inout [Int32]) -> [Fault] {
    output.removeAll()
    origins.removeAll(keepingCapacity: true)
    if let reshaper { return run(input, into: output, origins: &origins, reshaper) }
    var faults: [Fault] = []
    for index in 0..<input.rowCount {
      let row = input.row(index)
      guard let start = row.baseAddress else { continue }
      let (field, fault) = transform(start, row.count, into: output)
      if let fault {
        faults.append(Fault(row: index, field: field, fault: fault))
        continue
      }
      if watchesKeys, isKeyRepeated(row) {
        output.removeLastRow()
        faults.append(Fault(row: index, field: plan.key[0], fault: .duplicateKey))
        continue
      }
      origins.append(Int32(truncatingIfNeeded: index))
    }
    return faults
  }

  /// The same with everything that happens on the way.
  private func run(_ input: RowBatch, into output: RowBatch, origins: inout [Int32], _ reshaper: RowReshaper) -> [Fault]
  {
    var faults: [Fault] = []
    reshaper.beginBatch()
    for index in 0..<input.rowCount {
      guard let start = input.row(index).baseAddress else { continue }
      switch reshaper.reshape(start) {
      case .filtered: reshaper.filtered.append(Int32(truncatingIfNeeded: index))
      case .fault(let field, let fault): faults.append(Fault(row: index, field: field, fault: fault))
      case .row(let row, let broken):
        guard let start = row.baseAddress else { continue }
        var (field, fault) = transform(start, row.count, into: output)
        if fault == nil, let broken {
          output.removeLastRow()
          (field, fault) = broken
        } else if fault == nil, watchesKeys, isKeyRepeated(row) {
          output.removeLastRow()
          (field, fault) = (plan.key[0], .duplicateKey)
        }
        if let fault {
          faults.append(Fault(row: index, field: field, fault: fault))
        } else {
          origins.append(Int32(truncatingIfNeeded: index))
        }
      }
    }
    return faults
  }

  /// Rows of the last batch that the filter left out, and what its rules counted.
  var filtered: [Int32] { reshaper?.filtered ?? [] }
  var ruleCounts: [RuleMachine.Count] { reshaper?.ruleCounts ?? [] }

  private func isKeyRepeated(_ row: UnsafeRawBufferPointer) -> Bool {
    guard let leadingKey else {
      let key = KeyBytes.encode(row, key: plan.key)
      defer { lastKey = key }
      return key == lastKey
    }
    var end = 2
    for _ in 0..<leadingKey {
      end += 4 + max(0, Int(Int32(bigEndian: row.loadUnaligned(fromByteOffset: end, as: Int32.self))))
    }
    let key = UnsafeRawBufferPointer(rebasing: row[2..<end])
    guard key.count == lastKey.count else {
      lastKey = [UInt8](key)
      return false
    }
    return lastKey.withUnsafeMutableBytes { last in
      guard let known = last.baseAddress, let found = key.baseAddress else { return true }
      if memcmp(known, found, key.count) == 0 { return true }
      known.copyMemory(from: found, byteCount: key.count)
      return false
    }
  }

  /// Appends the delivered row; or appends nothing and names the first field that is wrong.
  ///
  /// What is delivered as it is, most of most rows, is checked field by field and copied in one piece.
  @inline(__always)
  private func transform(_ start: UnsafeRawPointer, _ count: Int, into output: RowBatch) -> (Int, RowFault?) {
    let target = output.reserve(count + slack)
    target.storeBytes(of: Int16(truncatingIfNeeded: deliveredCount).bigEndian, as: Int16.self)
    var (at, to) = (2, 2)
    // Where the piece begins that is yet to be copied.
    var piece = 2
    var keyLength = 0
    guard Int(Int16(bigEndian: start.loadUnaligned(as: Int16.self))) == fields.count else { return (0, .fieldCount) }
    for index in 0..<fields.count {
      let begin = at
      let header = Int32(bigEndian: start.loadUnaligned(fromByteOffset: at, as: Int32.self))
      at += 4
      let field = fields.baseAddress.unsafelyUnwrapped + index
      if header < 0 {
        if header != RowBatch.unchanged {
          guard header == -1 else {
            return (index, RowFault(rawValue: UInt8(UInt32(bitPattern: header) >> 24 & 0x7F)) ?? .wrongType)
          }
          if field.pointee.isKey { return (index, .nullKey) }
          if !field.pointee.isNullable { return (index, .missingValue) }
        }
        if !field.pointee.isDelivered {
          Self.copy(start, piece, begin, target, &to)
          piece = at
        }
        continue
      }
      let length = Int(header)
      let value = start + at
      at += length
      guard field.pointee.isDelivered else {
        Self.copy(start, piece, begin, target, &to)
        piece = at
        continue
      }
      if let fault = FieldChecks.fault(value, length, field, checksText: checksText) { return (index, fault) }
      if field.pointee.isKey {
        keyLength += field.pointee.mask == .pseudonym ? 64 : length
        if keyLength > longestKey { return (index, .tooLong) }
      }
      if field.pointee.mask == .none {
        if let (place, spelling) = field.pointee.respelled(value) {
          Self.copy(start, piece, at, target, &to)
          (target + to - length).storeBytes(of: spelling.bigEndian, toByteOffset: place, as: UInt16.self)
          piece = at
        }
        continue
      }
      Self.copy(start, piece, begin, target, &to)
      piece = at
      let room = target + to + 4
      var written = length
      if field.pointee.mask == .reshaped {
        guard let masker = maskers[index] else { return (index, .cannotMask) }
        let (count, fault) = masker.apply(UnsafeRawBufferPointer(start: value, count: length), room)
        if let fault { return (index, fault) }
        written = count
      } else {
        written = mask(value, length, field, room)
      }
      (target + to).storeBytes(of: Int32(truncatingIfNeeded: written).bigEndian, as: Int32.self)
      to += 4 + max(0, written)
    }
    Self.copy(start, piece, at, target, &to)
    output.advance(to)
    output.endRow()
    return (0, nil)
  }

  @inline(__always)
  private static func copy(
    _ start: UnsafeRawPointer, _ from: Int, _ end: Int, _ target: UnsafeMutableRawPointer, _ to: inout Int
  ) {
    guard end > from else { return }
    (target + to).copyMemory(from: start + from, byteCount: end - from)
    to += end - from
  }

  /// Writes the masked value to `room`; returns its length, -1 for NULL.
  private func mask(
    _ value: UnsafeRawPointer, _ length: Int, _ field: UnsafePointer<FieldPlan>, _ room: UnsafeMutableRawPointer
  ) -> Int {
    switch field.pointee.mask {
    case .drop, .none, .reshaped: return -1
    case .pseudonym:
      let tag = HMAC.authenticate(UnsafeRawBufferPointer(start: value, count: length), key: plan.keys.pseudonym)
      for (place, byte) in tag.hex.utf8.enumerated() { room.storeBytes(of: byte, toByteOffset: place, as: UInt8.self) }
      return tag.count * 2
    case .keepHeadTail: return FieldChecks.keepHeadTail(value, length, field.pointee.head, field.pointee.tail, room)
    }
  }
}
