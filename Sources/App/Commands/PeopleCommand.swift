import ArgumentParser
import Audit
import Identity
import Kernel
import Storage
import Web

struct PeopleCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "people", abstract: "Accounts, for whoever has the machine.", subcommands: [Rescue.self])

  struct Rescue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Bring back a security administrator, or make one, with a one-time password.")

    @OptionGroup var options: NodeOptions
    @Option(help: "The user name: a security administrator's, or a new one.") var login: String
    @Option(help: "The name of a new one; 安全管理员 by default.") var name: String?
    @Option(help: "The office of a new one; that of the security administrators there are by default.")
    var organisation: String?
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
      let node = try await Node.open(try options.settings())
      do {
        let done = try await node.people.rescue(login: login, name: name, organisation: organisation)
        try await node.sequencer.sequenceAll()
        await node.database.close()
        report(done)
      } catch {
        await node.database.close()
        throw error
      }
    }

    private func report(_ done: People.Rescue) {
      if json {
        Terminal.printJSON([
          ("login", .string(done.login)), ("password", .string(done.oneTimePassword)), ("new", .bool(done.isNew)),
        ])
        return
      }
      Terminal.print(
        done.isNew
          ? Terminal.language(
            "已新建安全管理员 \(done.login)，并记入日志。", "Made the security administrator \(done.login); the log says so.")
          : Terminal.language(
            "已找回安全管理员 \(done.login)：账户在用，第二因素已取消，原有会话已结束，并记入日志。",
            "Brought back the security administrator \(done.login): active, without second factor, earlier sessions ended; the log says so."
          ))
      Terminal.print(
        Terminal.language(
          "一次性密码（只显示这一次，首次登录须修改）：", "One-time password (shown once, to be changed at the first sign-in):"))
      Terminal.print("  \(done.login)  \(done.oneTimePassword)")
    }
  }
}
