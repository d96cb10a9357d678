import Connecting
import Foundation
import Kernel
import Remote
import Synchronization
import TestKit
import Testing

private func error(_ body: () throws -> Void) -> ConnectorError? {
  do {
    try body()
    return nil
  } catch { return error as? ConnectorError }
}

private func bytes(_ spool: SpoolFile, _ range: Range<Int>) throws -> [UInt8] {
  var got = [UInt8](repeating: 0, count: range.count)
  var at = 0
  while at < range.count {
    at += try got.withUnsafeMutableBytes {
      try spool.read(into: $0.baseAddress! + at, range.count - at, at: range.lowerBound + at)
    }
  }
  return got
}

private func put(_ folder: String, _ name: String, _ bytes: [UInt8]) throws {
  let path = "\(folder)/\(name)"
  try FileManager.default.createDirectory(
    atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
  try Data(bytes).write(to: URL(fileURLWithPath: path))
}

private let quick = RemoteLimits(connect: .seconds(5), stall: .seconds(2))

/// Both kinds of store over the same files.
private enum Store: CaseIterable {
  case sftp, s3

  func with<T>(_ body: (_ store: any FileStore, _ folder: String) throws -> T) async throws -> T {
    try await withTemporaryFolder { folder in
      switch self {
      case .sftp:
        let server = try SSHServer()
        defer { server.remove() }
        return try body(
          SFTPFolder(
            address: try RemoteAddress("sftp://127.0.0.1:\(server.port)\(folder)"), user: server.user,
            secret: .key(server.key), fingerprint: SFTPFolder.fingerprint(server.fingerprint)!, limits: quick), folder)
      case .s3:
        let files = folder + "/bucket/登记/out"
        try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
        let server = try ObjectStore.start(in: folder)
        defer { server.kill() }
        return try body(
          S3Folder(
            endpoint: try RemoteAddress(server.base), region: ObjectStore.region, bucket: "bucket", prefix: "登记/out",
            accessKey: ObjectStore.accessKey, secret: ObjectStore.secret, limits: quick), files)
      }
    }
  }
}

private let names = ["a b.csv", "企业+名录&.csv", "x'y%20(1).csv", "z.csv", "z;q=\"1\".csv"]

@Suite struct `A folder elsewhere` {
  @Test(arguments: Store.allCases)
  private func `lists its own files and gives them whole, whatever they are called`(kind: Store) async throws {
    try await kind.with { store, folder in
      var random = SystemRandomNumberGenerator()
      var contents: [[UInt8]] = []
      for (index, name) in names.enumerated() {
        let size = [0, 1, 100_000, 3_000_000, 17][index]
        contents.append((0..<size).map { _ in UInt8.random(in: 0...255, using: &random) })
        try put(folder, name, contents[index])
      }
      try put(folder, ".hidden.csv", [1])
      try put(folder, "deep/other.csv", [1])
      let listed = try store.list(nil).filter { $0.name != "deep" }
      #expect(listed.map(\.name) == names.sorted())
      let spool = try SpoolFile()
      let fetched = try store.fetch(listed, into: spool, nil)
      for file in fetched {
        let wanted = contents[names.firstIndex(of: file.name)!]
        #expect(try bytes(spool, file.range) == wanted, "\(file.name)")
      }
      try store.verify(fetched, nil)
    }
  }

  @Test(arguments: Store.allCases)
  private func `notices a file that grows, shrinks, is replaced or goes`(kind: Store) async throws {
    try await kind.with { store, folder in
      let old = timespec(tv_sec: 1_700_000_000, tv_nsec: 0)
      for change in ["grow", "shrink", "replace", "remove"] {
        let name = change + ".csv"
        try put(folder, name, Array("abcdef".utf8))
        var times = [old, old]
        #expect(utimensat(AT_FDCWD, "\(folder)/\(name)", &times, 0) == 0)
        let fetched = try store.fetch([StoredFile(name: name)], into: try SpoolFile(), nil)
        try store.verify(fetched, nil)
        switch change {
        case "grow": try put(folder, name, Array("abcdefg".utf8))
        case "shrink": try put(folder, name, Array("abc".utf8))
        case "replace": try put(folder, name, Array("ABCDEF".utf8))
        default: unlink("\(folder)/\(name)")
        }
        // Only length and content differ where it grew or shrank.
        if change == "grow" || change == "shrink" { utimensat(AT_FDCWD, "\(folder)/\(name)", &times, 0) }
        let noticed = error { try store.verify(fetched, nil) }
        #expect(
          noticed?.code == "remote.changed" && noticed?.kind == .retryable, "\(change): \(String(describing: noticed))")
      }
    }
  }

  @Test(arguments: Store.allCases)
  private func `takes files, over those that are there, and removes them`(kind: Store) async throws {
    try await kind.with { store, folder in
      for text in ["one", "another, longer"] {
        let spool = try SpoolFile()
        try Array(text.utf8).withUnsafeBytes { try spool.append($0) }
        try store.put(spool, as: "出 \"1\".csv", nil)
        #expect(try String(contentsOfFile: folder + "/出 \"1\".csv", encoding: .utf8) == text)
      }
      #expect(try store.list(nil).map(\.name) == ["出 \"1\".csv"])
      try store.remove("出 \"1\".csv", nil)
      #expect(try store.list(nil).isEmpty)
    }
  }

  @Test(arguments: Store.allCases)
  private func `makes a file only where there is none, and of many at once one alone`(kind: Store) async throws {
    try await kind.with { store, folder in
      let deep = store.folder("表 1")
      @Sendable func make(_ text: String, _ name: String, _ temporary: String) throws -> Bool {
        let spool = try SpoolFile()
        try Array(text.utf8).withUnsafeBytes { try spool.append($0) }
        return try deep.create(spool, as: name, through: temporary, nil)
      }
      let name = "m-1 \"x\".json"
      let (first, second) = (try make("first", name, "m-1.a.part"), try make("second", name, "m-1.b.part"))
      #expect(first && !second)
      #expect(try String(contentsOfFile: folder + "/表 1/" + name, encoding: .utf8) == "first")
      let winners = Mutex<[Int]>([])
      DispatchQueue.concurrentPerform(iterations: 6) { worker in
        if (try? make("\(worker)", "race.json", "race.\(worker).part")) == true {
          winners.withLock { $0.append(worker) }
        }
      }
      let won = winners.withLock { $0 }
      #expect(won.count == 1)
      #expect(try String(contentsOfFile: folder + "/表 1/race.json", encoding: .utf8) == "\(won.first ?? -1)")
      #expect(try deep.list(nil).map(\.name) == [name, "race.json"], "nothing is left over")
    }
  }

  @Test(arguments: Store.allCases)
  private func `says what is missing, and takes no more than is allowed`(kind: Store) async throws {
    try await kind.with { store, folder in
      let missing = error { _ = try store.fetch([StoredFile(name: "none.csv")], into: try SpoolFile(), nil) }
      #expect(missing?.code == "remote.missing" && missing?.kind == .permanent)
      try put(folder, "big.csv", [UInt8](repeating: 7, count: 200_000))
      let full = error { _ = try store.fetch([StoredFile(name: "big.csv")], into: try SpoolFile(limit: 100_000), nil) }
      #expect(full?.code == "spool.limit")
      let cancellation = RemoteCancellation()
      cancellation.cancel()
      let cancelled = error { _ = try store.fetch([StoredFile(name: "big.csv")], into: try SpoolFile(), cancellation) }
      #expect(cancelled?.code == "remote.cancelled" && cancelled?.kind == .retryable)
    }
  }
}

@Suite struct `An SFTP server` {
  private func folder(
    _ server: SSHServer, _ path: String, key: String? = nil, fingerprint: String? = nil, limits: RemoteLimits = quick
  ) throws -> SFTPFolder {
    SFTPFolder(
      address: try RemoteAddress("sftp://127.0.0.1:\(server.port)\(path)"), user: server.user,
      secret: .key(key ?? server.key), fingerprint: SFTPFolder.fingerprint(fingerprint ?? server.fingerprint)!,
      limits: limits)
  }

  @Test func `with another host key is told nothing, and a stranger is not let in`() async throws {
    try await withTemporaryFolder { path in
      let server = try SSHServer()
      defer { server.remove() }
      let wrong = error {
        _ = try folder(server, path, fingerprint: "SHA256:" + String(repeating: "A", count: 43)).list(nil)
      }
      #expect(wrong?.code == "remote.host-key" && wrong?.kind == .permanent)
      let stranger = error { _ = try folder(server, path, key: server.strangersKey).list(nil) }
      #expect(stranger?.code == "remote.login" && stranger?.kind == .permanent)
      let garbage = error { _ = try folder(server, path, key: "no key at all").list(nil) }
      #expect(garbage?.kind == .permanent && garbage?.code == "remote.login")
      let password = SFTPFolder(
        address: try RemoteAddress("sftp://127.0.0.1:\(server.port)\(path)"), user: server.user,
        secret: .password("geheim:42"), fingerprint: SFTPFolder.fingerprint(server.fingerprint)!, limits: quick)
      let refused = error { _ = try password.list(nil) }
      #expect(refused?.code == "remote.login")
      for said in [wrong, stranger, garbage, refused] {
        let text = String(describing: said)
        #expect(!text.contains("geheim") && !text.contains("PRIVATE") && !text.contains("AAAA"))
      }
    }
  }

  @Test func `that dies or hangs in the middle of a file leaves nothing behind`() async throws {
    try await withTemporaryFolder { path in
      let server = try SSHServer()
      defer { server.remove() }
      // More than its window and the sockets hold.
      let size = 256 << 20
      #expect(FileManager.default.createFile(atPath: path + "/big.csv", contents: nil))
      #expect(truncate(path + "/big.csv", size) == 0)
      for fault in ["kill", "freeze"] {
        let store = try folder(server, path)
        let spool = try SpoolFile()
        BlockingThread.start {
          while spool.bytesOnDisk < 1 << 20 { usleep(1000) }
          if fault == "kill" { server.kill() } else { server.freeze() }
        }
        let begun = ContinuousClock.now
        let cut = error { _ = try store.fetch([StoredFile(name: "big.csv")], into: spool, nil) }
        #expect(cut?.kind == .retryable, "\(fault): \(String(describing: cut))")
        #expect(fault == "kill" || cut?.code == "remote.timeout", "\(String(describing: cut))")
        #expect(spool.count == 0 && ContinuousClock.now - begun < .seconds(15))
        if fault == "kill" { try server.start() } else { server.thaw() }
      }
    }
  }

  @Test func `that is not there is tried again`() throws {
    let store = SFTPFolder(
      address: try RemoteAddress("sftp://127.0.0.1:\(try freePort())/tmp"), user: "u", secret: .password("p"),
      fingerprint: String(repeating: "A", count: 43), limits: quick)
    #expect(error { _ = try store.list(nil) }?.code == "remote.connect")
  }
}

@Suite struct `An object store` {
  @Test func `refuses a wrong key, and breaks, stalls and answers 503 as networks do`() async throws {
    try await withTemporaryFolder { folder in
      let server = try ObjectStore.start(in: folder)
      defer { server.kill() }
      func store(secret: String = ObjectStore.secret, bucket: String = "b") throws -> S3Folder {
        S3Folder(
          endpoint: try RemoteAddress(server.base), region: ObjectStore.region, bucket: bucket, prefix: "",
          accessKey: ObjectStore.accessKey, secret: secret, limits: quick)
      }
      for name in ["cut-1.csv", "stall-1.csv", "busy-1.csv"] {
        try put(folder, "b/" + name, [UInt8](repeating: 9, count: 50_000))
      }
      let wrong = error { _ = try store(secret: "geheim").list(nil) }
      #expect(wrong?.code == "remote.login" && wrong?.kind == .permanent && !"\(wrong!)".contains("geheim"))
      #expect(error { _ = try store(bucket: "none").list(nil) }?.code == "remote.missing")
      for (name, code) in [
        ("cut-1.csv", "remote.cut"), ("stall-1.csv", "remote.timeout"), ("busy-1.csv", "remote.status"),
      ] {
        let spool = try SpoolFile()
        let fault = error { _ = try store().fetch([StoredFile(name: name)], into: spool, nil) }
        #expect(
          fault?.code == code && fault?.kind == .retryable && spool.count == 0, "\(name): \(String(describing: fault))")
      }
      // Listed, and then changed before it was fetched.
      try put(folder, "b/x.csv", [1])
      let listed = try store().list(nil).filter { $0.name == "x.csv" }
      try put(folder, "b/x.csv", [2])
      #expect(error { _ = try store().fetch(listed, into: try SpoolFile(), nil) }?.code == "remote.changed")
    }
  }
}
