import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import Remote

/// Folders within folders, on both sorts of store.
@Suite struct WalkTests {
  enum Store: CaseIterable { case sftp, s3 }

  private func with(_ store: Store, _ body: (any FileStore, _ folder: String) throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      switch store {
      case .sftp:
        let server = try SSHServer()
        defer { server.remove() }
        try body(
          SFTPFolder(
            address: try RemoteAddress("sftp://127.0.0.1:\(server.port)\(folder)"), user: server.user,
            secret: .key(server.key), fingerprint: SFTPFolder.fingerprint(server.fingerprint)!), folder)
      case .s3:
        let files = folder + "/bucket/out"
        try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
        let server = try ObjectStore.start(in: folder)
        defer { server.kill() }
        try body(
          S3Folder(
            endpoint: try RemoteAddress(server.base), region: ObjectStore.region, bucket: "bucket", prefix: "out",
            accessKey: ObjectStore.accessKey, secret: ObjectStore.secret), files)
      }
    }
  }

  private func put(_ folder: String, _ name: String, _ text: String = "x") throws {
    let path = "\(folder)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  private func names(_ store: any FileStore, from path: String = "") throws -> [String] {
    let walk = try store.walk(from: path, nil)
    var names: [String] = []
    while let file = try walk.next() { names.append(file.name) }
    return names
  }

  private let paths = [
    "a b/ 前面有空格", "a-b", "a.txt", "a/x/y/z", "a/x0", "a0", "e\u{301}", "z", "\u{E9}", "西宁/报 告.pdf",
  ]

  @Test(arguments: Store.allCases)
  func `a walk gives all files in the order of their paths' bytes, from any of them on`(store: Store) async throws {
    try await with(store) { store, folder in
      for path in paths.shuffled() { try put(folder, path, path) }
      let found = try names(store)
      #expect(found.map { Array($0.utf8) } == paths.map { Array($0.utf8) })
      for (index, path) in paths.enumerated() {
        #expect(try names(store, from: path).map { Array($0.utf8) } == paths[index...].map { Array($0.utf8) })
      }
      #expect(try names(store, from: "a/x/y/zz") == Array(paths[4...]))
      #expect(try names(store, from: "西宁/报 告.pdg") == [])
      #expect(try store.folders(nil).sorted() == ["a", "a b", "西宁"])
      let walk = try store.walk(from: "a0", nil)
      let file = try #require(try walk.next())
      let age = Clock.system.now() - (try #require(file.modified))
      #expect(file.size == 2 && age > .seconds(-5) && age < .seconds(100))
      let spool = try SpoolFile()
      #expect(try store.fetch([StoredFile(name: "a/x/y/z")], into: spool, nil).first?.range.count == 7)
    }
  }

  @Test(arguments: Store.allCases)
  func `a file is moved into the place of another once, with the folders it needs`(store: Store) async throws {
    try await with(store) { store, folder in
      try put(folder, ".h/ready", "new")
      try put(folder, "西宁/年 报.pdf", "old")
      func text(_ path: String) -> String? { try? String(contentsOfFile: folder + "/" + path, encoding: .utf8) }
      #expect(try store.move(".h/ready", to: "西宁/年 报.pdf", nil))
      #expect(text("西宁/年 报.pdf") == "new" && text(".h/ready") == nil)
      // Who comes late moves nothing, and what stands there stays.
      #expect(try !store.move(".h/ready", to: "西宁/年 报.pdf", nil))
      #expect(text("西宁/年 报.pdf") == "new")
      try put(folder, ".h/ready", "deep")
      #expect(try store.move(".h/ready", to: "a/b/c/d", nil))
      #expect(text("a/b/c/d") == "deep")
      try store.remove("a/b/c/d", nil)
      #expect(text("a/b/c/d") == nil && text("西宁/年 报.pdf") == "new")
      #expect(try names(store) == ["西宁/年 报.pdf"])
    }
  }

  @Test func `a long listing is read to the blanks in its names, and anything else is none`() {
    let listing = """
      drwxr-xr-x    3 root     root         4096 Nov 30 06:55 .
      drwxr-xr-x    3 1000     users        4096 Nov 30  2025 a folder
      -rw-r--r--    1 root     root      1234567 Nov 30 06:55   two blanks.txt
      lrwxrwxrwx    1 root     root            9 Nov 30 06:55 link -> /etc/passwd
      -rw-r--r--    1 root     root            0 Nov 30 06:55 .hidden

      """
    let entries = SFTPListing.entries(Array(listing.utf8))
    #expect(entries?.map(\.name) == ["a folder", "  two blanks.txt", "link -> /etc/passwd"])
    #expect(entries?.map(\.kind) == [.folder, .file, .other] && entries?[1].size == 1_234_567)
    for text in ["total 12\n", "-rw-r--r-- 1 root root many Nov 30 06:55 a\n", "a\n"] {
      #expect(SFTPListing.entries(Array(text.utf8)) == nil, "\(text)")
    }
  }
}
