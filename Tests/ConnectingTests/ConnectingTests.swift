import Kernel
import Testing

@testable import Connecting

@Suite struct ValueTypeTests {
  @Test(arguments: [
    ValueType.text, .integer, .decimal(precision: 18, scale: 2), .decimal(precision: 38, scale: 38), .double, .boolean,
    .date, .timestamp, .bytes,
  ])
  func `a type's name reads back as the type`(type: ValueType) {
    #expect(ValueType(type.description) == type)
  }

  @Test(arguments: [
    "decimal(39,0)", "decimal(5,6)", "decimal(5)", "decimal(5,2", "decimal(,)", "TEXT", "", "decimal(5,-1)",
  ])
  func `a name that is no type is refused`(name: String) {
    #expect(ValueType(name) == nil)
  }
}

@Suite struct RowBatchTests {
  @Test func `fields come back as they were put in, NULL and malformed ones too`() {
    let batch = RowBatch(capacity: RowBatch.smallest)
    batch.beginRow(fields: 7)
    batch.append(Int64(-2))
    batch.append(Int32(7))
    batch.append(true)
    batch.append(-0.0)
    batch.appendNull()
    "三江".withBytes { batch.append($0) }
    "x31".withBytes { batch.appendMalformed(.impossibleDate, $0) }
    batch.endRow()
    #expect(batch.rowCount == 1)
    #expect(
      batch.fields(0) == [
        .value([255, 255, 255, 255, 255, 255, 255, 254]), .value([0, 0, 0, 7]), .value([1]),
        .value([0, 0, 0, 0, 0, 0, 0, 0]), .null, .value(Array("三江".utf8)),
        .malformed(.impossibleDate, raw: Array("x31".utf8)),
      ])
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity]) func `a number that is none is malformed`(value: Double) {
    let batch = RowBatch()
    batch.beginRow(fields: 1)
    batch.append(value)
    batch.endRow()
    guard case .malformed(.notFinite, _) = batch.fields(0)[0] else {
      Issue.record("delivered")
      return
    }
  }

  @Test func `a batch is full by bytes, grows for one huge row and gives the memory back`() {
    let batch = RowBatch(capacity: RowBatch.smallest)
    let huge = [UInt8](repeating: 7, count: 9 << 20)
    batch.beginRow(fields: 1)
    huge.withUnsafeBytes { batch.append($0) }
    batch.endRow()
    #expect(batch.isFull)
    #expect(batch.fields(0) == [.value(huge)])
    batch.removeAll()
    #expect(batch.isEmpty && !batch.isFull)
    for row in 0..<5000 {
      batch.beginRow(fields: 1)
      batch.append(Int64(row))
      batch.endRow()
    }
    #expect(batch.fields(4999) == [.value([0, 0, 0, 0, 0, 0, 0x13, 0x87])])
    batch.removeLastRow()
    #expect(batch.rowCount == 4999)
  }
}

extension String {
  func withBytes<T>(_ body: (UnsafeRawBufferPointer) -> T) -> T { Array(utf8).withUnsafeBytes(body) }
}

@Suite struct BlockingThreadTests {
  @Test func `whoever waits for a call that hangs can leave, and hears an answer that comes`() async throws {
    let (gate, free) = (Monitor(false), Monitor(false))
    let late = try await BlockingThread.run(within: .milliseconds(100)) {
      _ = gate.wait { $0 ? true : nil }
      free.change { $0 = true }
      return 5
    }
    // Who comes here left while the call hung: the gate opens only now.
    #expect(late == nil)
    gate.change { $0 = true }
    _ = free.wait { $0 ? true : nil }
    #expect(try await BlockingThread.run(within: .seconds(10)) { 7 } == 7)
    await #expect(throws: ConnectorError.self) {
      try await BlockingThread.run(within: .seconds(10)) { throw ConnectorError(.permanent, "x", Text(same: "x")) }
    }
  }
}
