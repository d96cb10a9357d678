package import Connecting
import Kernel

/// What every connector must do, whatever product it speaks to: one list, run on each.
///
/// A case finds faults instead of throwing expectations, so that the suite needs no test library and each connector's own
/// tests run it.
package struct ConformanceCase: Sendable, CustomStringConvertible {
  /// The behaviour in a sentence.
  package var description: String
  package var needs: Set<ConformanceAbility>
  package var run: @Sendable (any ConformanceStand, ConformanceFindings) throws -> Void

  package init(
    _ description: String, needs: Set<ConformanceAbility> = [],
    run: @escaping @Sendable (any ConformanceStand, ConformanceFindings) throws -> Void
  ) {
    self.description = description
    self.needs = needs
    self.run = run
  }
}

package enum Conformance {
  package static let cases: [ConformanceCase] =
    values + discovery + reading + increments + writing + merging + marking + fencing + cutting + parts

  /// The cases that mean something with these abilities.
  package static func cases(for abilities: Set<ConformanceAbility>) -> [ConformanceCase] {
    cases.filter { $0.needs.isSubset(of: abilities) }
  }

  /// What is wrong, in sentences; empty when the connector conforms.
  package static func faults(of test: ConformanceCase, on stand: any ConformanceStand) -> [String] {
    let findings = ConformanceFindings()
    do {
      try test.run(stand, findings)
    } catch {
      findings.add("it threw \(error)")
    }
    return findings.all
  }
}

/// Collects what a case finds. Used by one thread.
package final class ConformanceFindings {
  package private(set) var all: [String] = []

  package init() {}

  package func add(_ fault: String) { all.append(fault) }

  package func expect(_ condition: Bool, _ fault: @autoclosure () -> String) {
    if !condition { add(fault()) }
  }

  package func expect<T: Equatable>(_ found: T, _ wanted: T, _ what: @autoclosure () -> String) {
    if found != wanted { add("\(what()): \(found) instead of \(wanted)") }
  }

  /// That `body` is refused with an error of this kind.
  package func expectError(_ kind: ConnectorError.Kind, _ what: String, _ body: () throws -> Void) {
    do {
      try body()
      add("\(what) was not refused")
    } catch let error as ConnectorError {
      if error.kind != kind { add("\(what): \(error), which is not \(kind.rawValue)") }
      if error.message.chinese.isEmpty || error.message.english.isEmpty { add("\(what): says nothing") }
    } catch {
      add("\(what): \(error), which is no ConnectorError")
    }
  }
}

extension RowReader {
  /// Every row that is left, in batches of this many bytes; rows without a key are told apart.
  func all(_ bytes: Int = RowBatch.smallest) throws -> (rows: [[RowField]], unkeyed: [[RowField]]) {
    let batch = RowBatch(capacity: bytes)
    var found: (rows: [[RowField]], unkeyed: [[RowField]]) = ([], [])
    while true {
      let outcome = try read(into: batch)
      let rows = (0..<batch.rowCount).map { batch.fields($0) }
      switch outcome {
      case .rows: found.rows += rows
      case .rowsWithoutKey: found.unkeyed += rows
      case .end: return found
      }
    }
  }
}

extension SampleTable {
  /// Rows as canonical bytes.
  func batch(_ rows: [[String?]]) -> RowBatch {
    let batch = RowBatch(capacity: RowBatch.largest)
    let canonical = CanonicalText(zone: 0)
    for row in rows {
      batch.beginRow(fields: row.count)
      for (text, column) in zip(row, columns) {
        guard let text else {
          batch.appendNull()
          continue
        }
        let bytes = column.type == .bytes ? [UInt8](hex: text) : Array(text.utf8)
        bytes.withUnsafeBytes { canonical.append($0, as: column.type, to: batch) }
      }
      batch.endRow()
    }
    return batch
  }

  func fields(_ rows: [[String?]]) -> [[RowField]] {
    let batch = batch(rows)
    return (0..<batch.rowCount).map { batch.fields($0) }
  }
}

extension [UInt8] {
  /// Of pairs of hexadecimal digits; bytes in samples are written so.
  init(hex text: String) {
    let digits = Array<UInt8>(text.utf8).map { Swift.min($0 &- 48, ($0 | 0x20) &- 87) }
    self = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
