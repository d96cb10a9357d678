import Foundation
import Kernel
import Spreadsheets
import Testing

/// Numbers from a seed, so that what once failed fails again.
private struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

@Suite struct `Whatever the bytes` {
  /// `SANJIANG_FUZZ=100` runs a hundred times as many rounds, from other seeds.
  private static let factor = ProcessInfo.processInfo.environment["SANJIANG_FUZZ"].flatMap(Int.init) ?? 1

  private func damage(_ bytes: inout [UInt8], _ random: inout Seeded) {
    for _ in 0..<Int.random(in: 1...6, using: &random) where bytes.count > 8 {
      let at = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes.removeSubrange(at...)
      case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: bytes[at] = [0, 0xFF, 0x7F, 0x80, 0x3C, 0x22].randomElement(using: &random)!
      // The directory at the end, whose numbers say where everything is.
      case 3: bytes[bytes.count - 1 - at % min(bytes.count, 400)] = UInt8.random(in: 0...255, using: &random)
      case 4: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...16, using: &random)))
      default:
        let from = Int.random(in: 0..<bytes.count, using: &random)
        bytes.insert(contentsOf: bytes[from..<min(bytes.count, from + 24)], at: at)
      }
    }
  }

  @Test(arguments: ["openpyxl.xlsx", "xlsxwriter.xlsx", "libreoffice.xlsx", "libreoffice.ods", "libreoffice.xls"])
  func `a damaged file is read or refused`(name: String) throws {
    let whole = Array(try Data(contentsOf: URL(fileURLWithPath: fixture(name))))
    var random = Seeded(state: UInt64(Self.factor))
    for round in 0..<150 * Self.factor {
      var bytes = whole
      damage(&bytes, &random)
      if let found = refusal(bytes) {
        if !found.code.hasPrefix("spreadsheet.") { Issue.record("\(name), round \(round): \(found)") }
      }
    }
  }

  @Test func `a damaged part in a whole container is read or refused`() throws {
    let book = Book(
      (1...30).map {
        "<row r=\"\($0)\"><c r=\"A\($0)\" t=\"s\"><v>1</v></c><c r=\"C\($0)\" s=\"0\"><f>A1</f><v>45000.5</v></c></row>"
      }
      .joined()
    ).with {
      $0.strings = ["<t>a</t>", "<r><t xml:space=\"preserve\"> _x000D_ </t></r><rPh><t>x</t></rPh>"]
      $0.formats = ["yyyy\"年\"m\\-d;[Red]@"]
    }
    var random = Seeded(state: UInt64(Self.factor + 1))
    var codes: Set<String> = []
    for round in 0..<800 * Self.factor {
      var entries = book.entries
      let at = Int.random(in: 0..<entries.count, using: &random)
      damage(&entries[at].bytes, &random)
      guard let found = refusal(TinyZip.bytes(entries)) else { continue }
      codes.insert(found.code)
      if !found.code.hasPrefix("spreadsheet.") { Issue.record("round \(round): \(found)") }
    }
    // The damage reached the sheet's own rules and not only the parser.
    #expect(codes.count >= 8)
  }
}

@Suite(.serialized) struct `Twenty thousand rows of twenty-five columns` {
  @Test func `are written and read in seconds`() throws {
    let folder = TemporaryFolder()
    let path = folder.path + "/big.xlsx"
    let columns = (0..<25).map { SheetColumn("列\($0)", $0 == 3 ? .date : $0 == 4 ? .decimal : .text) }
    let clock = ContinuousClock()
    let before = peakMemory
    let writing = try clock.measure {
      let writer = try WorkbookWriter(path: path)
      let sheet = try writer.addSheet(SheetPlan("名单", columns, fillableRows: 20_000))
      for row in 0..<20_000 {
        try sheet.append(
          (0..<25).map { column in
            switch column {
            case 3: .date(CalendarDate(daysSince1970: 10_000 + row))
            case 4: .number(Double(row) / 8)
            case 6: .text("6301021990\(10_000_000 + row)")
            default: .text("青海省第\(row)行\(column)")
            }
          })
      }
      try writer.finish()
    }
    var rows = 0
    var cells = 0
    let reading = try clock.measure {
      try WorkbookReader(path: path).readRows(of: "名单") { row in
        rows += 1
        cells += row.cells.count
        return .next
      }
    }
    print(
      "20,000 × 25 cells: written in \(writing), read in \(reading), \((peakMemory - before) >> 10) MiB more at the peak"
    )
    #expect(rows == 20_001)
    #expect(cells == 500_025)
    // Several times what a busy machine of two cores takes without optimisation.
    #expect(writing < .seconds(60))
    #expect(reading < .seconds(60))
    // Whatever else the process does meanwhile; all texts together are 13 MB.
    #expect((peakMemory - before) >> 10 < 200)
  }

  /// Of this process (RUSAGE_SELF), in KiB.
  private var peakMemory: Int {
    var usage = rusage()
    getrusage(0, &usage)
    return usage.ru_maxrss
  }
}
