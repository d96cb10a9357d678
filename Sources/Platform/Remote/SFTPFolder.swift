internal import CCurl
package import Connecting
import Glibc
import Kernel

/// A folder of an SFTP server, whose host key must be known beforehand: a key that is accepted unseen proves nothing.
package struct SFTPFolder: FileStore {
  package enum Secret: Hashable, Sendable {
    case password(String)
    /// The text of an OpenSSH or PEM private key without a passphrase. Only ever in memory.
    case key(String)
  }

  package let address: RemoteAddress
  private let user: String
  private let secret: Secret
  /// SHA-256 of the host's key in base64 without padding.
  private let fingerprint: String
  private let limits: RemoteLimits

  package init(
    address: RemoteAddress, user: String, secret: Secret, fingerprint: String, limits: RemoteLimits = RemoteLimits()
  ) {
    self.address = address.with(path: address.path.hasSuffix("/") ? address.path : address.path + "/", query: nil)
    self.user = user
    self.secret = secret
    self.fingerprint = fingerprint
    self.limits = limits
  }

  /// `SHA256:…` as `ssh-keygen -lf` prints it, or its base64 alone; nil for anything else.
  package static func fingerprint(_ written: String) -> String? {
    var text = Substring(written.trimmingBlanks)
    if text.hasPrefix("SHA256:") { text = text.dropFirst(7) }
    while text.hasSuffix("=") { text = text.dropLast() }
    let isBase64 = text.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) || $0 == UInt8(ascii: "+")
        || $0 == UInt8(ascii: "/")
    }
    return text.utf8.count == 43 && isBase64 ? String(text) : nil
  }

  /// The private key lies in a file that has no name and no disk for as long as the session lives.
  private final class Access {
    let session: RemoteSession
    private let folder: SFTPFolder
    private var key: CInt = -1

    init(_ folder: SFTPFolder, _ cancellation: RemoteCancellation?) throws(ConnectorError) {
      self.folder = folder
      session = RemoteSession(folder.limits, cancellation: cancellation)
      guard case .key(let text) = folder.secret else { return }
      key = sj_memory_file()
      var written = text.hasSuffix("\n") ? text : text + "\n"
      let isWhole = written.withUTF8 { write(key, $0.baseAddress, $0.count) == $0.count }
      guard key >= 0, isWhole else {
        throw ConnectorError(
          .retryable, "remote.memory", Text("内存不足，无法使用密钥。", "Out of memory for the private key."))
      }
    }

    deinit { if key >= 0 { close(key) } }

    func request(_ address: RemoteAddress, _ more: @escaping (RemoteSession.Options) -> Void = { _ in })
      -> RemoteSession.Request
    {
      var request = RemoteSession.Request(address: address)
      let (user, secret, fingerprint, key) = (folder.user, folder.secret, folder.fingerprint, key)
      request.options = { options in
        options.text(CURLOPT_SSH_HOST_PUBLIC_KEY_SHA256, fingerprint)
        options.text(CURLOPT_USERNAME, user)
        switch secret {
        case .password(let password):
          options.text(CURLOPT_PASSWORD, password)
          options.number(CURLOPT_SSH_AUTH_TYPES, Int(CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD))
        case .key:
          options.number(CURLOPT_SSH_AUTH_TYPES, Int(CURLSSH_AUTH_PUBLICKEY))
          options.text(CURLOPT_SSH_PRIVATE_KEYFILE, "/proc/self/fd/\(key)")
        }
        more(options)
      }
      return request
    }
  }

  package func list(_ cancellation: RemoteCancellation?) throws(ConnectorError) -> [StoredFile] {
    let access = try Access(self, cancellation)
    let (_, body) = try access.session.bytes(access.request(address) { $0.number(CURLOPT_DIRLISTONLY, 1) })
    let names = body.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    guard names.count <= FileStores.most else { throw FileStores.tooMany(address) }
    return names.filter(FileStores.isPlain).sorted().map { StoredFile(name: $0) }
  }

  package func fetch(
    _ files: [StoredFile], into spool: SpoolFile, _ cancellation: RemoteCancellation?
  ) throws(ConnectorError) -> [FetchedFile] {
    let access = try Access(self, cancellation)
    var fetched: [FetchedFile] = []
    for file in files {
      let (answer, range) = try access.session.copy(access.request(address.appending(file.name)), to: spool)
      let modified = answer.modified ?? 0
      fetched.append(
        FetchedFile(
          name: file.name, range: range, mark: "\(modified)", modified: Instant(milliseconds: Int64(modified) * 1000)))
    }
    // What was written to while it was copied shows by its time or length now.
    try check(fetched, access)
    return fetched
  }

  package func verify(_ files: [FetchedFile], _ cancellation: RemoteCancellation?) throws(ConnectorError) {
    try check(files, try Access(self, cancellation))
  }

  /// Asks for what is behind each file's end: nothing, when it is as long as it was; and for its time.
  private func check(_ files: [FetchedFile], _ access: Access) throws(ConnectorError) {
    for file in files {
      let request = access.request(address.appending(file.name)) { options in
        options.offset(CURLOPT_RESUME_FROM_LARGE, file.range.count)
      }
      let accepted: Set<UInt32> = [
        CURLE_BAD_DOWNLOAD_RESUME.rawValue, CURLE_REMOTE_FILE_NOT_FOUND.rawValue, CURLE_PARTIAL_FILE.rawValue,
      ]
      let answer = try access.session.perform(request, accepts: accepted) { _ throws(ConnectorError) in
        throw FileStores.changed(file.name)
      }
      guard answer.code == CURLE_OK, "\(answer.modified ?? 0)" == file.mark else {
        throw FileStores.changed(file.name)
      }
    }
  }

  /// Uploaded under another name and then renamed, which SFTP does not do over a file that is there: between removing
  /// that one and renaming there is none for a moment.
  package func put(
    _ spool: SpoolFile, as name: String, _ cancellation: RemoteCancellation?
  ) throws(ConnectorError) {
    let access = try Access(self, cancellation)
    let (part, whole) = (".\(name).part", name)
    // libcurl copies no list: it must live as long as the request.
    let after = HeaderList(["*rm \(quoted(whole))", "rename \(quoted(part)) \(quoted(whole))"])
    var request = access.request(address.appending(part)) { options in
      options.list(CURLOPT_POSTQUOTE, after)
    }
    request.body = spool.body()
    request.bodySize = spool.count
    _ = try access.session.perform(request) { _ in }
    withExtendedLifetime(after) {}
  }

  /// Uploaded under another name and then renamed, which fails where there is a file of that name: by OpenSSH's server it
  /// is a link, which is made or not, so that of two only one succeeds.
  package func create(
    _ spool: SpoolFile, as name: String, through temporary: String, _ cancellation: RemoteCancellation?
  ) throws(ConnectorError) -> Bool {
    let access = try Access(self, cancellation)
    let after = HeaderList(["rename \(quoted(temporary)) \(quoted(name))"])
    var request = access.request(address.appending(temporary)) { options in
      options.number(CURLOPT_FTP_CREATE_MISSING_DIRS, 1)
      options.list(CURLOPT_POSTQUOTE, after)
    }
    request.body = spool.body()
    request.bodySize = spool.count
    let answer = try access.session.perform(request, accepts: [CURLE_QUOTE_ERROR.rawValue]) { _ in }
    withExtendedLifetime(after) {}
    guard answer.code == CURLE_QUOTE_ERROR else { return true }
    try? remove(temporary, cancellation)
    // Refused for another reason than that there is one: then the folder has none.
    guard try list(cancellation).contains(where: { $0.name == name }) else {
      throw ConnectorError(
        .permanent, "remote.rename",
        Text(
          "\(address.host)：不能把上传的文件改名为“\(name)”。", "\(address.host): the uploaded file could not be renamed “\(name)”.")
      )
    }
    return false
  }

  package func folder(_ name: String) -> any FileStore {
    SFTPFolder(
      address: address.appending(name), user: user, secret: secret, fingerprint: fingerprint, limits: limits)
  }

  package func folders(_ cancellation: RemoteCancellation?) throws(ConnectorError) -> [String] {
    try entries("", try Access(self, cancellation)).filter { $0.kind == .folder && FileStores.isPlain($0.name) }.map(
      \.name)
  }

  private func entries(_ path: String, _ access: Access) throws(ConnectorError) -> [SFTPListing.Entry] {
    let folder = path.isEmpty ? address : address.appending(path)
    let (_, body) = try access.session.bytes(
      access.request(folder.path.hasSuffix("/") ? folder : folder.with(path: folder.path + "/", query: nil)))
    guard let entries = SFTPListing.entries(body) else {
      throw ConnectorError(
        .data, "remote.listing",
        Text("\(address.host)：目录列表无法解析。", "\(address.host): the list of a folder cannot be read."))
    }
    guard entries.count <= FileStores.most else { throw FileStores.tooMany(address) }
    return entries
  }

  package func walk(
    from path: String, _ cancellation: RemoteCancellation?
  ) throws(ConnectorError) -> any FileWalk {
    let access = try Access(self, cancellation)
    return try SFTPWalk(
      from: path,
      list: { (path) throws(ConnectorError) in
        do throws(ConnectorError) {
          return try self.entries(path.hasSuffix("/") ? String(path.dropLast()) : path, access)
        } catch {
          // A folder within that is gone meanwhile.
          guard error.code == "remote.missing", !path.isEmpty else { throw error }
          return []
        }
      },
      time: { (path) throws(ConnectorError) in
        let answer = try access.session.perform(
          access.request(self.address.appending(path)) { $0.number(CURLOPT_NOBODY, 1) },
          accepts: [CURLE_REMOTE_FILE_NOT_FOUND.rawValue]
        ) { _ in }
        return answer.modified
      })
  }

  /// SFTP does not rename over a file that is there: between removing that one and renaming there is none for a moment.
  package func move(
    _ name: String, to path: String, _ cancellation: RemoteCancellation?
  ) throws(ConnectorError) -> Bool {
    let access = try Access(self, cancellation)
    func commands(_ lines: [String], accepts: Set<UInt32> = []) throws(ConnectorError) -> Bool {
      let list = HeaderList(lines)
      let request = access.request(address) { options in
        options.number(CURLOPT_NOBODY, 1)
        options.list(CURLOPT_QUOTE, list)
      }
      let answer = try access.session.perform(request, accepts: accepts) { _ in }
      withExtendedLifetime(list) {}
      return answer.code == CURLE_OK
    }
    let folders = Self.folders(of: path)
    let rename = "rename \(quoted(name)) \(quoted(path))"
    let refused: Set<UInt32> = [CURLE_QUOTE_ERROR.rawValue]
    if try commands(folders.map { "*mkdir \(quoted($0))" } + [rename], accepts: refused) { return true }
    guard try isThere(name, access) else { return false }
    return try commands(["*rm \(quoted(path))", rename])
  }

  /// Of `a/b/c` these are `a` and `a/b`.
  private static func folders(of path: String) -> [String] {
    let parts = path.split(separator: "/")
    return parts.indices.dropFirst().map { parts[..<$0].joined(separator: "/") }
  }

  package func remove(_ name: String, _ cancellation: RemoteCancellation?) throws(ConnectorError) {
    let access = try Access(self, cancellation)
    // Folders that are empty now go with it.
    let commands = HeaderList(
      ["rm \(quoted(name))"] + Self.folders(of: name).reversed().map { "*rmdir \(quoted($0))" })
    let request = access.request(address) { options in
      options.number(CURLOPT_NOBODY, 1)
      options.list(CURLOPT_QUOTE, commands)
    }
    let answer = try access.session.perform(request, accepts: [CURLE_QUOTE_ERROR.rawValue]) { _ in }
    withExtendedLifetime(commands) {}
    guard answer.code == CURLE_QUOTE_ERROR, try isThere(name, access) else { return }
    throw ConnectorError(
      .permanent, "remote.denied",
      Text("\(address.host)：不能删除“\(name)”。", "\(address.host): “\(name)” could not be removed."))
  }

  private func isThere(_ name: String, _ access: Access) throws(ConnectorError) -> Bool {
    let last = name.split(separator: "/").last.map(String.init)
    return try entries(Self.folders(of: name).last ?? "", access).contains { $0.name == last }
  }

  private func quoted(_ name: String) -> String {
    let path = Self.decoded(address.path) + name
    return "\"\(path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
  }

  /// Commands take the path itself, not its spelling in an address.
  private static func decoded(_ path: String) -> String {
    var (bytes, rest): ([UInt8], Substring.UTF8View) = ([], path[...].utf8)
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension String {
  /// Without blanks and line ends around it, which come with what is pasted.
  var trimmingBlanks: String {
    var text = Substring(self)
    while let first = text.first, first.isWhitespace { text = text.dropFirst() }
    while let last = text.last, last.isWhitespace { text = text.dropLast() }
    return String(text)
  }
}
