package import Connecting

/// Names and types of the members of one record after another, for a source that declares none.
package struct JSONLook {
  private let text = JSONText()
  /// Records that were looked at; broken ones are none.
  package private(set) var records = 0
  private var counts: [Int] = []

  package init() {}

  /// A record as a text of its own. False when it is broken.
  @discardableResult
  package mutating func add(record bytes: UnsafeRawBufferPointer, to table: inout TableLook) -> Bool {
    guard let value = try? JSONScan.whole(bytes) else { return false }
    return add(value, in: bytes, to: &table)
  }

  /// A record within a larger text.
  package mutating func add(
    _ record: JSONValue, in bytes: UnsafeRawBufferPointer, to table: inout TableLook
  ) -> Bool {
    guard record.kind == .object else { return false }
    var scan = JSONScan(bytes)
    scan.at = record.range.lowerBound
    do throws(JSONFault) {
      try scan.members { name, value throws(JSONFault) in
        let (written, fault) = text.text(of: name, in: bytes)
        if fault == nil, !written.isEmpty, let place = table.place(of: String(decoding: written, as: UTF8.self)) {
          note(value, bytes, place, &table)
        }
        return true
      }
    } catch { return false }
    table.rows += 1
    records += 1
    return true
  }

  /// A record of which only what stands at these places counts.
  package mutating func add(
    _ record: JSONValue, in bytes: UnsafeRawBufferPointer, at places: [(name: String, pointer: JSONPointer)],
    to table: inout TableLook
  ) {
    guard record.kind == .object else { return }
    for (name, pointer) in places {
      guard let place = table.place(of: name), let found = try? pointer.find(in: record, bytes, text) else { continue }
      note(found, bytes, place, &table)
    }
    table.rows += 1
    records += 1
  }

  private mutating func note(
    _ value: JSONValue, _ bytes: UnsafeRawBufferPointer, _ place: Int, _ table: inout TableLook
  ) {
    while counts.count <= place { counts.append(0) }
    counts[place] += 1
    let written = UnsafeRawBufferPointer(rebasing: bytes[value.range])
    switch value.kind {
    case .null: table.addNull(at: place)
    case .string:
      let (written, fault) = text.text(of: value, in: bytes)
      if fault == nil { table.add(written, kind: .text, at: place) }
    case .number: table.add(written, kind: .number, at: place)
    case .yes, .no: table.add(written, kind: .unknown, at: place)
    case .object, .array: table.add(written, kind: .text, at: place)
    }
  }

  /// Columns that not every record has.
  package func lacking(in table: TableLook) -> Set<String> {
    Set(table.names.enumerated().filter { ($0.offset < counts.count ? counts[$0.offset] : 0) < records }.map(\.element))
  }
}

/// A row of a record that cannot be read: every field says so, and the first of the key keeps what was there.
package enum BrokenRecord {
  package static func append(
    _ fault: RowFault, _ raw: UnsafeRawBufferPointer, _ plan: ReadPlan, to batch: RowBatch
  ) {
    let keeper = plan.key.min() ?? 0
    for index in plan.columns.indices {
      batch.appendMalformed(fault, index == keeper ? raw : UnsafeRawBufferPointer(start: nil, count: 0))
    }
  }
}
