import Foundation

/// Where a request of HTTP ends.
struct HTTPRequestLength {
  private var head: [UInt8] = []
  private var left: Int?

  var isWhole: Bool { left.map { $0 <= 0 } ?? false }

  mutating func add(_ bytes: some Collection<UInt8>) {
    if let known = left {
      left = known - bytes.count
      return
    }
    head += bytes
    let text = String(decoding: head, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n") else { return }
    let line = text[..<end.lowerBound].split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
    let length = line.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
    left = length - (head.count - text[..<end.upperBound].utf8.count)
  }
}
