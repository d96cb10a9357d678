import Foundation

/// A folder of one's own, gone afterwards whatever happened: when a test run is killed a small shell removes it.
package func withTemporaryFolder<T>(
  isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> T
) async throws -> T {
  let path = processFolder + "/" + UUID().uuidString.lowercased()
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try await body(path)
}

/// Holds every temporary folder of this process.
private let processFolder: String = {
  let folder = NSTemporaryDirectory() + "sanjiang-test-\(getpid())-" + UUID().uuidString.prefix(8).lowercased()
  try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  afterThisProcess(removing: folder)
  return folder
}()

/// Starts a shell that waits for this process to be gone, however it went, then runs `command` and removes the folder.
/// It leaves by itself when the folder is removed earlier.
func afterThisProcess(removing folder: String, _ command: String = ":") {
  let shell = Process()
  shell.executableURL = URL(fileURLWithPath: "/usr/bin/setsid")
  shell.arguments = [
    "/bin/sh", "-c",
    "while [ -d \"$1\" ] && kill -0 \(getpid()) 2>/dev/null; do sleep 1; done; \(command); rm -rf \"$1\"", "sh", folder,
  ]
  shell.standardInput = FileHandle.nullDevice
  shell.standardOutput = FileHandle.nullDevice
  shell.standardError = FileHandle.nullDevice
  try? shell.run()
}
