import CXLSXWriter

/// The looks of a workbook's cells, each made once.
struct CellFormats {
  /// How a value is shown.
  enum Style: Int, CaseIterable {
    case text, general, wholeNumber, date, dateTime, time

    /// Excel's own number for the format, where it has one for every country: text must be its text, number 49.
    var builtIn: UInt8? {
      switch self {
      case .text: 49
      case .general: 0
      case .wholeNumber: 1
      case .date, .dateTime, .time: nil
      }
    }

    var code: String {
      switch self {
      case .text: "@"
      case .general: "General"
      case .wholeNumber: "0"
      case .date: "yyyy-mm-dd"
      case .dateTime: "yyyy-mm-dd hh:mm:ss"
      case .time: "hh:mm:ss"
      }
    }
  }

  typealias Format = UnsafeMutablePointer<lxw_format>

  let header: Format
  let requiredHeader: Format
  let reasonHeader: Format
  private let plain: [Format]
  private let rejected: [Format]

  /// Nil when memory ran out.
  init?(_ workbook: UnsafeMutablePointer<lxw_workbook>) {
    func make(_ style: Style, _ change: (Format) -> Void = { _ in }) -> Format? {
      guard let format = workbook_add_format(workbook) else { return nil }
      if let number = style.builtIn {
        format_set_num_format_index(format, number)
      } else {
        format_set_num_format(format, style.code)
      }
      format_set_text_wrap(format)
      format_set_align(format, UInt8(LXW_ALIGN_VERTICAL_TOP.rawValue))
      change(format)
      return format
    }
    func makeHeader(_ fill: UInt32, _ ink: UInt32) -> Format? {
      make(.text) {
        format_set_bold($0)
        format_set_bg_color($0, fill)
        format_set_font_color($0, ink)
        format_set_border($0, UInt8(LXW_BORDER_THIN.rawValue))
        format_set_border_color($0, 0x9FB6C6)
        format_set_align($0, UInt8(LXW_ALIGN_VERTICAL_CENTER.rawValue))
      }
    }
    let plain = Style.allCases.compactMap { make($0) }
    let rejected = Style.allCases.compactMap { style in
      make(style) {
        format_set_bg_color($0, 0xFFC7CE)
        format_set_border($0, UInt8(LXW_BORDER_THIN.rawValue))
        format_set_border_color($0, 0xE0A0A8)
      }
    }
    guard let header = makeHeader(0xDCE9F2, 0x1B2B38), let requiredHeader = makeHeader(0xDCE9F2, 0xA61B1B),
      let reasonHeader = makeHeader(0xFFC7CE, 0x7A0C16), plain.count == Style.allCases.count,
      rejected.count == plain.count
    else { return nil }
    self.header = header
    self.requiredHeader = requiredHeader
    self.reasonHeader = reasonHeader
    self.plain = plain
    self.rejected = rejected
  }

  func format(_ style: Style, isRejected: Bool = false) -> Format {
    isRejected ? rejected[style.rawValue] : plain[style.rawValue]
  }
}

extension SheetColumn.Kind {
  var style: CellFormats.Style {
    switch self {
    case .text, .yesNo: .text
    case .wholeNumber: .wholeNumber
    case .decimal: .general
    case .date: .date
    case .dateTime: .dateTime
    }
  }
}
