import Foundation

/// A folder of one's own, gone afterwards whatever happened.
package func withTemporaryFolder<T>(
  isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> T
) async throws -> T {
  let path = NSTemporaryDirectory() + "sanjiang-" + UUID().uuidString.lowercased()
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try await body(path)
}
