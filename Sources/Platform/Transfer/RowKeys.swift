import Connecting
import NationalCrypto
import Reshaping

/// A row's key as others may see it. Used by one thread.
struct RowKeys {
  private let plan: CompiledPlan
  private let maskers: [Masker?]

  init(_ plan: CompiledPlan) {
    self.plan = plan
    maskers = plan.key.map { plan.masker(plan.plan.items[$0]) }
  }

  /// As delivered, with the count of its fields in front: nil when a field of the key cannot be read, or is not what its
  /// contract says. Such a row was never delivered: a target that were given its key would have to bend it to its column, and
  /// then it might be another row's.
  func delivered(_ row: UnsafeRawBufferPointer) -> [UInt8]? {
    let fields = RowField.fields(of: row)
    var bytes = withUnsafeBytes(of: Int16(plan.key.count).bigEndian) { [UInt8]($0) }
    var length = 0
    for (place, index) in plan.readKey.enumerated() {
      guard index < fields.count, case .value(var value) = fields[index], isGood(value, plan.key[place]) else {
        return nil
      }
      length += plan.fields[plan.key[place]].mask == .pseudonym ? 64 : value.count
      guard length <= plan.longestKey else { return nil }
      if plan.fields[plan.key[place]].mask == .pseudonym {
        value = Array(HMAC.authenticate(value, key: plan.keys.pseudonym).hex.utf8)
      } else if let masker = maskers[place] {
        guard let masked = masker.masked(value) else { return nil }
        value = masked
      } else {
        plan.fields[plan.key[place]].respell(&value)
      }
      bytes += withUnsafeBytes(of: Int32(value.count).bigEndian) { [UInt8]($0) } + value
    }
    return bytes
  }

  private func isGood(_ value: [UInt8], _ item: Int) -> Bool {
    withUnsafePointer(to: plan.fields[item]) { field in
      // One byte more: an empty text has no address of its own.
      (value + [0]).withUnsafeBytes { bytes in
        bytes.baseAddress.map { FieldChecks.fault($0, value.count, field, checksText: true) == nil } ?? false
      }
    }
  }

  /// Rows of the key alone, as delivered.
  func delivered(_ rows: some Sequence<Int>, of input: RowBatch) -> RowBatch {
    let keys = RowBatch(capacity: RowBatch.smallest)
    for row in rows {
      guard let key = delivered(input.row(row)) else { continue }
      key.withUnsafeBytes { keys.appendRow($0) }
    }
    return keys
  }

  /// HMAC-SM3 under a key of the grant, hexadecimal; nil when the key itself cannot be read.
  private func digest(_ row: UnsafeRawBufferPointer) -> String? {
    let fields = RowField.fields(of: row)
    var bytes: [UInt8] = []
    for index in plan.readKey {
      guard index < fields.count, case .value(let value) = fields[index] else { return nil }
      bytes += withUnsafeBytes(of: Int32(value.count).bigEndian) { [UInt8]($0) } + value
    }
    return HMAC.authenticate(bytes, key: plan.keys.keyDigest).hex
  }

  /// What is kept of a bad row: nobody but the provider sees its values.
  func bad(_ row: UnsafeRawBufferPointer, _ fault: RowTransform.Fault) -> BadRow {
    BadRow(
      position: fault.row, keyDigest: digest(row), item: plan.faultNames[min(fault.field, plan.faultNames.count - 1)],
      fault: fault.fault, sealed: SealedRow.seal(row, items: plan.readColumns.map(\.name), plan: plan.plan))
  }
}
