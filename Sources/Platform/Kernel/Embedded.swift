/// A file carried inside the binary, as text.
package func embeddedText(_ start: UnsafePointer<UInt8>, _ length: Int) -> String {
  String(decoding: UnsafeBufferPointer(start: start, count: length), as: UTF8.self)
}
