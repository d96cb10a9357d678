internal import CCurl
package import Connecting
import Kernel

/// The objects under one prefix of a bucket, by the S3 protocol (path-style, signature version 4) that AWS, MinIO, Ceph
/// and China's clouds speak.
package struct S3Folder: FileStore {
  package let address: RemoteAddress
  private let bucket: String
  /// Empty, or ends with a slash.
  private let prefix: String
  private let region: String
  private let credentials: String
  private let limits: RemoteLimits

  package init(
    endpoint: RemoteAddress, region: String, bucket: String, prefix: String, accessKey: String, secret: String,
    limits: RemoteLimits = RemoteLimits()
  ) {
    address = endpoint
    self.bucket = bucket
    self.prefix = prefix.isEmpty || prefix.hasSuffix("/") ? prefix : prefix + "/"
    self.region = region
    credentials = "\(accessKey):\(secret)"
    self.limits = limits
  }

  private init(
    endpoint: RemoteAddress, region: String, bucket: String, prefix: String, credentials: String, limits: RemoteLimits
  ) {
    (address, self.region, self.bucket, self.prefix) = (endpoint, region, bucket, prefix)
    (self.credentials, self.limits) = (credentials, limits)
  }

  /// Of nothing.
  private static let emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  private func request(_ key: String?, _ query: String? = nil, _ headers: [String] = []) -> RemoteSession.Request {
    let base = address.path.hasSuffix("/") ? String(address.path.dropLast()) : address.path
    let path =
      base + "/" + RemoteAddress.encoded(bucket) + (key.map { "/" + RemoteAddress.encoded($0, keeping: "/") } ?? "")
    var request = RemoteSession.Request(address: address.with(path: path, query: query))
    request.credentials = credentials
    request.signature = "aws:amz:\(region):s3"
    request.headers = headers
    return request
  }

  package func list(_ cancellation: RemoteCancellation?) throws(ConnectorError) -> [StoredFile] {
    let session = RemoteSession(limits, cancellation: cancellation)
    var files: [StoredFile] = []
    var token: String?
    repeat {
      let page = try page(session, [("delimiter", "/")], after: token)
      files += stored(page.objects).filter { FileStores.isPlain($0.name) }
      guard files.count <= FileStores.most else { throw FileStores.tooMany(address) }
      token = page.next
    } while token != nil
    return files.sorted { $0.name < $1.name }
  }

  private func stored(_ objects: [S3Listing.Object]) -> [StoredFile] {
    objects.lazy.filter { $0.key.hasPrefix(prefix) }.map { object in
      StoredFile(
        name: String(object.key.dropFirst(prefix.count)), size: object.size, mark: object.mark,
        modified: Instant(object.modified))
    }
  }

  /// A page of the list behind the one that gave `token`.
  private func page(
    _ session: RemoteSession, _ more: [(String, String)], after token: String?
  ) throws(ConnectorError) -> S3Listing {
    // Sorted by name, as the signature wants them.
    var parameters = [("list-type", "2"), ("max-keys", "1000"), ("prefix", prefix)] + more
    if let token { parameters.append(("continuation-token", token)) }
    parameters.sort { $0.0 < $1.0 }
    let query = parameters.map { "\($0)=\(RemoteAddress.encoded($1))" }.joined(separator: "&")
    let (answer, body) = try session.bytes(request(nil, query, ["x-amz-content-sha256: \(Self.emptyDigest)"]))
    try check(answer, nil)
    guard let page = S3Listing(body) else {
      throw ConnectorError(
        .data, "remote.listing",
        Text("\(address.host)：对象列表无法解析。", "\(address.host): the list of objects cannot be read."))
    }
    guard page.next != token || token == nil else {
      throw ConnectorError(
        .data, "remote.listing", Text("\(address.host)：对象列表没有尽头。", "\(address.host): the list of objects has no end."))
    }
    return page
  }

  package func folders(_ cancellation: RemoteCancellation?) throws(ConnectorError) -> [String] {
    let session = RemoteSession(limits, cancellation: cancellation)
    var names: [String] = []
    var token: String?
    repeat {
      let page = try page(session, [("delimiter", "/")], after: token)
      names += page.prefixes.lazy.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count).dropLast()) }
        .filter(FileStores.isPlain)
      guard names.count <= FileStores.most else { throw FileStores.tooMany(address) }
      token = page.next
    } while token != nil
    return names
  }

  package func walk(
    from path: String, _ cancellation: RemoteCancellation?
  ) throws(ConnectorError) -> any FileWalk {
    let session = RemoteSession(limits, cancellation: cancellation)
    // What is asked for is what lies behind a key: that of the path's folder, which no file has.
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().map { $0 + "/" }.joined()
    let start = folder.isEmpty ? [] : [("start-after", prefix + folder)]
    return S3Walk { (token) throws(ConnectorError) in
      let page = try page(session, start, after: token)
      let files = stored(page.objects).filter { file in
        // A key that ends with a slash stands for a folder.
        !file.name.hasSuffix("/") && !file.name.isEmpty && !file.name.utf8.lexicographicallyPrecedes(path.utf8)
      }
      return (files, page.next)
    }
  }

  package func fetch(
    _ files: [StoredFile], into spool: SpoolFile, _ cancellation: RemoteCancellation?
  ) throws(ConnectorError) -> [FetchedFile] {
    let session = RemoteSession(limits, cancellation: cancellation)
    var fetched: [FetchedFile] = []
    for file in files {
      var headers = ["x-amz-content-sha256: \(Self.emptyDigest)"]
      if let mark = file.mark { headers.append("If-Match: \(mark)") }
      let start = spool.count
      let (answer, range) = try session.copy(request(prefix + file.name, nil, headers), to: spool)
      do throws(ConnectorError) { try check(answer, file.name) } catch {
        spool.truncate(to: start)
        throw error
      }
      guard let mark = answer.headers.last(where: { $0.name == "etag" })?.value else {
        throw ConnectorError(
          .data, "remote.no-mark",
          Text(
            "\(address.host)：对象没有 ETag，无法发现变化。",
            "\(address.host): an object without an ETag; changes would go unnoticed."))
      }
      if let size = file.size, size != range.count { throw FileStores.changed(file.name) }
      fetched.append(FetchedFile(name: file.name, range: range, mark: mark, modified: file.modified))
    }
    return fetched
  }

  package func verify(_ files: [FetchedFile], _ cancellation: RemoteCancellation?) throws(ConnectorError) {
    let session = RemoteSession(limits, cancellation: cancellation)
    for file in files {
      var request = request(prefix + file.name, nil, ["x-amz-content-sha256: \(Self.emptyDigest)"])
      request.isHead = true
      let answer = try session.perform(request) { _ in }
      if answer.status == 404 { throw FileStores.changed(file.name) }
      try check(answer, file.name)
      guard answer.headers.last(where: { $0.name == "etag" })?.value == file.mark else {
        throw FileStores.changed(file.name)
      }
    }
  }

  package func put(
    _ spool: SpoolFile, as name: String, _ cancellation: RemoteCancellation?
  ) throws(ConnectorError) {
    var request = request(prefix + name, nil, ["x-amz-content-sha256: UNSIGNED-PAYLOAD"])
    request.body = spool.body()
    request.bodySize = spool.count
    let (answer, _) = try RemoteSession(limits, cancellation: cancellation).bytes(request)
    try check(answer, name)
  }

  package func create(
    _ spool: SpoolFile, as name: String, through temporary: String, _ cancellation: RemoteCancellation?
  ) throws(ConnectorError) -> Bool {
    var request = request(
      prefix + name, nil, ["if-none-match: *", "x-amz-content-sha256: UNSIGNED-PAYLOAD"])
    request.body = spool.body()
    request.bodySize = spool.count
    let (answer, _) = try RemoteSession(limits, cancellation: cancellation).bytes(request)
    if answer.status == 412 { return false }
    // Another one is at the same name right now: who has won shows a moment later.
    if answer.status == 409 {
      throw ConnectorError(
        .retryable, "remote.status",
        Text(
          "\(address.host):\(address.port)：同一对象正被另一请求写入（409）。",
          "\(address.host):\(address.port): another request writes the same object (409)."))
    }
    try check(answer, name)
    return true
  }

  /// A copy within the store and then the end of the original: who comes late finds nothing to copy.
  package func move(
    _ name: String, to path: String, _ cancellation: RemoteCancellation?
  ) throws(ConnectorError) -> Bool {
    let session = RemoteSession(limits, cancellation: cancellation)
    let source = "/\(RemoteAddress.encoded(bucket))/\(RemoteAddress.encoded(prefix + name, keeping: "/"))"
    var request = request(
      prefix + path, nil, ["x-amz-content-sha256: \(Self.emptyDigest)", "x-amz-copy-source: \(source)"])
    request.method = "PUT"
    let (answer, body) = try session.bytes(request)
    if answer.status == 404 { return false }
    try check(answer, path)
    // A copy that fails midway is an answer 200 that says so.
    guard String(decoding: body, as: UTF8.self).contains("<CopyObjectResult") else {
      throw ConnectorError(
        .retryable, "remote.copy",
        Text("\(address.host)：存储未能复制对象。", "\(address.host): the store could not copy an object."))
    }
    try remove(name, cancellation)
    return true
  }

  package func folder(_ name: String) -> any FileStore {
    S3Folder(
      endpoint: address, region: region, bucket: bucket, prefix: prefix + name + "/", credentials: credentials,
      limits: limits)
  }

  package func remove(_ name: String, _ cancellation: RemoteCancellation?) throws(ConnectorError) {
    var request = request(prefix + name, nil, ["x-amz-content-sha256: \(Self.emptyDigest)"])
    request.method = "DELETE"
    let (answer, _) = try RemoteSession(limits, cancellation: cancellation).bytes(request)
    try check(answer, name)
  }

  private func check(_ answer: RemoteSession.Answer, _ name: String?) throws(ConnectorError) {
    let host = "\(address.host):\(address.port)"
    switch answer.status {
    case 200...299: return
    case 401, 403:
      throw ConnectorError(
        .permanent, "remote.login",
        Text("\(host)：访问密钥无效或无权访问。", "\(host): the access key is wrong or may not do this."))
    case 404:
      throw ConnectorError(
        .permanent, "remote.missing",
        Text(
          name.map { "\(host)：没有对象“\($0)”。" } ?? "\(host)：没有这个存储桶。",
          name.map { "\(host): no object “\($0)”." } ?? "\(host): no such bucket."))
    case 412:
      throw FileStores.changed(name ?? "")
    case 429, 500...599:
      throw ConnectorError(
        .retryable, "remote.status",
        Text("\(host)：服务暂时不可用（\(answer.status)）。", "\(host): not available for now (\(answer.status))."))
    default:
      throw ConnectorError(
        .permanent, "remote.status",
        Text("\(host)：应答状态 \(answer.status)。", "\(host): answered with status \(answer.status)."))
    }
  }
}
