import Glibc
import Kernel
import Synchronization
import Testing
import Web

@testable import WebServer

/// Files of forms on their way through the server: on disk while they are of use, and never after.
@Suite struct `A file of a form` {
  /// What the route behind was given.
  private final class Seen: Sendable {
    private let files = Mutex<[(name: String, path: String, content: [UInt8])]>([])
    var all: [(name: String, path: String, content: [UInt8])] { files.withLock { $0 } }

    var route: Route {
      .post("/upload", .anyone, bodyLimit: 1 << 20) { request in
        for file in request.files {
          let descriptor = open(file.path, O_RDONLY)
          defer { close(descriptor) }
          var content = [UInt8](repeating: 0, count: file.size + 1)
          let count = read(descriptor, &content, content.count)
          self.files.withLock { $0.append((file.name, file.path, Array(content.prefix(max(0, count))))) }
        }
        if request.form["refuse"] != nil { throw Refusal.invalid("sample", "file", Text("不行", "no")) }
        if request.form["fail"] != nil { throw SampleTrouble() }
        return .plain("taken")
      }
    }
  }

  private struct SampleTrouble: Error {}

  private static let type = ("Content-Type", "multipart/form-data; boundary=xyz")
  private static let signedIn = ("Cookie", "sid=reader")

  private static func body(_ values: [(String, String)], file: [UInt8], tokenFirst: Bool = true) -> [UInt8] {
    let fields = values.map { "--xyz\r\nContent-Disposition: form-data; name=\"\($0)\"\r\n\r\n\($1)\r\n" }.joined()
    let part =
      Array("--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n".utf8) + file + [
        13, 10,
      ]
    return (tokenFirst ? Array(fields.utf8) + part : part + Array(fields.utf8)) + Array("--xyz--\r\n".utf8)
  }

  /// The server with the folder of its uploads; the folder is gone afterwards.
  private func with(
    _ seen: Seen, bodyTimeout: Duration = .seconds(60), _ body: (RunningSite, String) async throws -> Void
  ) async throws {
    let folder = "/tmp/sanjiang-uploads-test-\(UInt64.random(in: .min ... .max))"
    defer { rmdir(folder) }
    var configuration = SiteServer.Configuration(port: 0)
    configuration.uploads = folder
    configuration.bodyTimeout = bodyTimeout
    try await withSite([seen.route], configuration) { site in try await body(site, folder) }
  }

  private func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }

  @Test(arguments: [true, false])
  func `lies on disk while its request is answered, wherever the token stands, and is gone after`(tokenFirst: Bool)
    async throws
  {
    let seen = Seen()
    try await with(seen) { site, folder in
      let content = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 % 251) }
      let sent = Self.body([("csrf", SampleSite.csrf)], file: content, tokenFirst: tokenFirst)
      let answer = try await site.send("POST", "/upload", [Self.type, Self.signedIn], sent)
      #expect(answer.status == 200 && answer.body == "taken")
      let file = try #require(seen.all.first)
      #expect(file.name == "a.bin" && file.path.hasPrefix(folder + "/") && file.content == content)
      #expect(names(in: folder) == [])
    }
  }

  @Test(arguments: [
    ("refuse", "1", SampleSite.csrf, 422), ("fail", "1", SampleSite.csrf, 500), ("a", "b", "forged", 403),
  ])
  func `is gone when its request was refused, failed or was forged`(
    field: String, value: String, token: String, status: Int
  ) async throws {
    let seen = Seen()
    try await with(seen) { site, folder in
      let sent = Self.body([(field, value), ("csrf", token)], file: [1, 2, 3], tokenFirst: false)
      let answer = try await site.send("POST", "/upload", [Self.type, Self.signedIn], sent)
      #expect(answer.status == status)
      #expect(seen.all.count == (status == 403 ? 0 : 1), "a forged one reaches nobody")
      #expect(names(in: folder) == [])
    }
  }

  @Test(arguments: [true, false])
  func `beyond the limit is refused in words and leaves nothing`(isChunked: Bool) async throws {
    let seen = Seen()
    try await with(seen) { site, folder in
      let sent = Self.body([("csrf", SampleSite.csrf)], file: [UInt8](repeating: 7, count: 3 << 20))
      let answer: RunningSite.Answer
      if isChunked {
        var bytes = Array(
          "POST /upload HTTP/1.1\r\nHost: x\r\nCookie: sid=reader\r\nContent-Type: \(Self.type.1)\r\nTransfer-Encoding: chunked\r\n\r\n"
            .utf8)
        for start in stride(from: 0, to: sent.count, by: 65_536) {
          let piece = sent[start..<min(start + 65_536, sent.count)]
          bytes += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [13, 10]
        }
        answer = try await site.raw(bytes + Array("0\r\n\r\n".utf8))
      } else {
        answer = try await site.raw(
          Array(
            "POST /upload HTTP/1.1\r\nHost: x\r\nCookie: sid=reader\r\nContent-Type: \(Self.type.1)\r\nContent-Length: 524288000\r\n\r\n"
              .utf8))
      }
      #expect(answer.status == 413 && answer.body.contains("1 MiB"))
      #expect(seen.all.isEmpty && names(in: folder) == [])
    }
  }

  @Test func `of which the rest never comes is removed when the line is cut`() async throws {
    let seen = Seen()
    try await with(seen, bodyTimeout: .milliseconds(400)) { site, folder in
      let sent = Self.body([("csrf", SampleSite.csrf)], file: [UInt8](repeating: 7, count: 600_000)).dropLast(40)
      let head =
        "POST /upload HTTP/1.1\r\nHost: x\r\nCookie: sid=reader\r\nContent-Type: \(Self.type.1)\r\nContent-Length: 900000\r\n\r\n"
      _ = try await site.raw(Array(head.utf8) + sent)
      for _ in 0..<100 where !names(in: folder).isEmpty { try await Task.sleep(for: .milliseconds(20)) }
      #expect(seen.all.isEmpty && names(in: folder) == [])
    }
  }

  @Test func `that a killed process left goes at the next start, and nobody else's`() throws {
    let folder = "/tmp/sanjiang-uploads-test-\(UInt64.random(in: .min ... .max))"
    let uploads = UploadFolder(folder)
    let living = try uploads.begin()
    try living.carryOut([.file(field: "f", name: "a", type: "b"), .content([1])])
    close(open(folder + "/left.upload", O_WRONLY | O_CREAT, 0o600))
    UploadFolder(folder).sweep()
    #expect(names(in: folder).count == 1 && living.files.allSatisfy { access($0.path, F_OK) == 0 })
    living.discard()
    #expect(names(in: folder) == [])
    rmdir(folder)
  }

  @Test func `that cannot be kept is answered with why`() async throws {
    #expect(Rejection.disk(ENOSPC).status == 507 && Rejection.disk(ENOSPC).refusal.message.chinese.contains("磁盘已满"))
    var configuration = SiteServer.Configuration(port: 0)
    configuration.uploads = "/dev/null/uploads"
    let seen = Seen()
    try await withSite([seen.route], configuration) { site in
      let sent = Self.body([("csrf", SampleSite.csrf)], file: [1])
      let answer = try await site.send("POST", "/upload", [Self.type, Self.signedIn], sent)
      #expect(answer.status == 503 && answer.body.contains("无法存放上传的文件"))
      #expect(seen.all.isEmpty)
    }
  }

  @Test func `waits for another when too many come at once`() throws {
    let uploads = UploadFolder("/nowhere")
    let all = try (0..<16).map { _ in try uploads.begin() }
    #expect { _ = try uploads.begin() } throws: { ($0 as? Refusal)?.kind == .unavailable }
    all[0].discard()
    let next = try uploads.begin()
    for one in all.dropFirst() + [next] { one.discard() }
  }
}
