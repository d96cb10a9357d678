package import Kernel

/// One of the six quantities (六项普查) that the census asks of every resource.
package enum Quantity: String, Sendable, CaseIterable {
  case storage, records, sharedStorage, sharedRecords, openStorage, openRecords

  /// ① to ⑥, as the form counts them.
  package var mark: String { ["①", "②", "③", "④", "⑤", "⑥"][Self.allCases.firstIndex(of: self) ?? 0] }

  package var isStorage: Bool { self == .storage || self == .sharedStorage || self == .openStorage }

  /// The quantity that this one is a part of, and so never larger than: ③≤①, ④≤②, ⑤≤①, ⑥≤②.
  package var whole: Quantity? {
    switch self {
    case .storage, .records: nil
    case .sharedStorage, .openStorage: .storage
    case .sharedRecords, .openRecords: .records
    }
  }

  package var title: Text {
    switch self {
    case .storage: Text("数据存储总量", "Storage in all")
    case .records: Text("结构化信息记录总数", "Structured records in all")
    case .sharedStorage: Text("已共享的数据存储量", "Storage shared")
    case .sharedRecords: Text("已共享的结构化记录数", "Structured records shared")
    case .openStorage: Text("已开放的数据存储量", "Storage open to the public")
    case .openRecords: Text("已开放的结构化记录数", "Structured records open to the public")
    }
  }

  package var unit: Text { isStorage ? Text("GB", "GB") : Text("条", "records") }
  /// For the head of a narrow column, below a table that names the six in full.
  package var short: Text {
    switch self {
    case .storage: Text("① 总量 GB", "① Storage GB")
    case .records: Text("② 总记录", "② Records")
    case .sharedStorage: Text("③ 共享 GB", "③ Shared GB")
    case .sharedRecords: Text("④ 共享记录", "④ Shared records")
    case .openStorage: Text("⑤ 开放 GB", "⑤ Open GB")
    case .openRecords: Text("⑥ 开放记录", "⑥ Open records")
    }
  }

  /// `① 数据存储总量（GB）`
  package var heading: Text {
    Text("\(mark) \(title.chinese)（\(unit.chinese)）", "\(mark) \(title.english) (\(unit.english))")
  }
}

/// The six numbers of a resource, or their sums: storage in KB (1,000 bytes; shown in GB of 10⁹ bytes with up to six
/// decimals, so that nothing is rounded), records whole. 0 also stands for what is not known, as the census has it.
package struct SixQuantities: Hashable, Sendable {
  /// In the order of `Quantity.allCases`.
  private var values: [Int]

  package static let zero = SixQuantities()

  package init(_ value: (Quantity) -> Int = { _ in 0 }) { values = Quantity.allCases.map(value) }

  package subscript(_ quantity: Quantity) -> Int {
    get { values[Self.place(quantity)] }
    set { values[Self.place(quantity)] = newValue }
  }

  private static func place(_ quantity: Quantity) -> Int { Quantity.allCases.firstIndex(of: quantity) ?? 0 }

  package static func + (a: SixQuantities, b: SixQuantities) -> SixQuantities { SixQuantities { a[$0] + b[$0] } }
  package static func - (a: SixQuantities, b: SixQuantities) -> SixQuantities { SixQuantities { a[$0] - b[$0] } }

  /// The most of one resource: 1 PB, 10¹² records. A million resources at these bounds still add up in 64 bits.
  package static let most = 1_000_000_000_000

  /// What breaks the census's rules; the fault's field is the quantity's name behind `prefix`.
  package func faults(_ prefix: String = "") -> [Refusal.Fault] {
    Quantity.allCases.compactMap { quantity in
      let field = prefix + quantity.rawValue
      guard (0...Self.most).contains(self[quantity]) else { return .init(field, Self.range(quantity)) }
      guard let whole = quantity.whole, self[quantity] > self[whole] else { return nil }
      return .init(
        field,
        Text(
          "\(quantity.mark)\(quantity.title.chinese)（\(Self.shown(self[quantity], quantity))）不能大于\(whole.mark)\(whole.title.chinese)（\(Self.shown(self[whole], whole))）。",
          "\(quantity.mark) \(quantity.title.english) (\(Self.shown(self[quantity], quantity))) cannot be more than \(whole.mark) \(whole.title.english) (\(Self.shown(self[whole], whole)))."
        ))
    }
  }

  static func range(_ quantity: Quantity) -> Text {
    quantity.isStorage
      ? Text("应为 0 到 1,000,000 的数，单位 GB，最多 6 位小数。", "A number of GB from 0 to 1,000,000 with at most 6 decimals.")
      : Text("应为 0 到 1,000,000,000,000 的整数。", "A whole number from 0 to 1,000,000,000,000.")
  }
}

// MARK: Written and read

extension SixQuantities {
  /// GB without trailing noughts (`12.5`), records as they are; for fields and files.
  package static func plain(_ value: Int, _ quantity: Quantity) -> String {
    guard quantity.isStorage else { return String(value) }
    let (whole, part) = value.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
    var digits = String(part)
    digits = String(repeating: "0", count: 6 - digits.count) + digits
    while digits.last == "0" { digits.removeLast() }
    return (value < 0 ? "-" : "") + String(whole) + (digits.isEmpty ? "" : "." + digits)
  }

  /// The same with thousands set apart, for people.
  package static func shown(_ value: Int, _ quantity: Quantity) -> String {
    let parts = plain(value, quantity).split(separator: ".", maxSplits: 1)
    var digits = Array(String(parts[0].drop { $0 == "-" }))
    var place = digits.count - 3
    while place > 0 {
      digits.insert(",", at: place)
      place -= 3
    }
    return (value < 0 ? "-" : "") + String(digits) + (parts.count > 1 ? "." + parts[1] : "")
  }

  /// What somebody entered: digits (full-width ones too), thousands set apart or not; nothing is 0. Nil for anything
  /// else: no words, no units, no signs.
  package static func read(_ entered: String, _ quantity: Quantity) -> Int? {
    var text = ""
    for scalar in entered.unicodeScalars {
      switch scalar.value {
      case 0xFF10...0xFF19: text.unicodeScalars.append(Unicode.Scalar(UInt8(scalar.value - 0xFF10 + 0x30)))
      case 0xFF0E: text += "."
      case 0x2C, 0xFF0C: continue
      default: if !scalar.properties.isWhitespace { text.unicodeScalars.append(scalar) }
      }
    }
    if text.isEmpty { return 0 }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }), !parts[0].isEmpty,
      parts[0].utf8.count <= 15, let whole = Int(parts[0])
    else { return nil }
    let fraction = parts.count == 2 ? String(parts[1]) : ""
    guard quantity.isStorage else {
      return fraction.allSatisfy({ $0 == "0" }) && parts.count == 1 || fraction == "0" ? inRange(whole) : nil
    }
    guard parts.count == 1 || (1...6).contains(fraction.count), whole <= 1_000_000 else { return nil }
    let rest = Int(fraction + String(repeating: "0", count: 6 - fraction.count)) ?? 0
    return inRange(whole * 1_000_000 + rest)
  }

  private static func inRange(_ value: Int) -> Int? { (0...most).contains(value) ? value : nil }
}
