internal import CQRCode
internal import Kernel
import Web

/// A QR code (GB/T 18284, ISO/IEC 18004) as a picture in the page: what a phone's camera reads instead of a person typing.
enum QRPicture {
  /// Nothing for what no QR code can hold (over 2,331 bytes).
  static func of(_ text: String, _ title: Text, _ t: Language) -> HTML {
    guard let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else { return .nothing }
    defer { QRcode_free(code) }
    let width = Int(code.pointee.width)
    var path = ""
    for y in 0..<width {
      for x in 0..<width where code.pointee.data[y * width + x] & 1 == 1 { path += "M\(x + 4) \(y + 4)h1v1h-1z" }
    }
    // Four light modules around it, as the standard asks.
    let size = width + 8
    return """
      <svg class="qr" role="img" aria-label="\(t(title))" viewBox="0 0 \(size) \(size)" width="\(size * 4)" height="\(size * 4)">\
      <rect width="\(size)" height="\(size)" fill="#fff"/><path d="\(path)" fill="#000"/></svg>
      """
  }
}
