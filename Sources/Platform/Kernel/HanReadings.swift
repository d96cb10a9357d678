extension Han {
  /// The first letters of the characters' readings in a run of Chinese, one for each; nil where none is known. A character of
  /// several readings (多音字) has that of the word it stands in, as far as `words` knows it: 银行 is `yh`, 行政 is `xz`.
  package static func initials(_ run: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar?] {
    let run = run.map(simplified)
    var initials = run.map(initial)
    var at = 0
    while at < run.count {
      // The longest word first: what follows it begins after it.
      guard let word = words[run[at]]?.first(where: { run[at...].starts(with: $0.text) }) else {
        at += 1
        continue
      }
      for (offset, letter) in word.letters.enumerated() { initials[at + offset] = letter }
      at += word.text.count
    }
    return initials
  }

  private struct Word: Sendable {
    var text: [Unicode.Scalar]
    var letters: [Unicode.Scalar]
  }

  /// By the first character, the longest before the others.
  private static let words: [Unicode.Scalar: [Word]] = {
    var words: [Unicode.Scalar: [Word]] = [:]
    for entry in readings.split(whereSeparator: \.isWhitespace) {
      let (text, letters) = (entry.unicodeScalars.filter { !$0.isASCII }, entry.unicodeScalars.filter(\.isASCII))
      precondition(text.count == letters.count, "the reading of a word is broken: \(entry)")
      words[text[text.startIndex], default: []].append(Word(text: Array(text), letters: Array(letters)))
    }
    return words.mapValues { $0.sorted { $0.text.count > $1.text.count } }
  }()

  /// Words of administration in which a character is not read as usual; and those in which it is, where its neighbours would
  /// make the first (执行业务 holds 行业, 委员会计划 holds 会计).
  private static let readings = """
    银行yh 行业hy 行情hq 央行yh 分行fh 支行zh 总行zh 商行sh 行长hz 行规hg 农行nh 建行jh 工行gh 排行ph
    执行zx 进行jx 发行fx 运行yx 实行sx 施行sx 推行tx 通行tx 飞行fx 试行sx 履行lx 旅行lx 流行lx 暂行zx 例行lx 步行bx 平行px 可行kx
    会计kj 财会ck
    员会yh 委会wh 理事会lsh 监事会jsh 董事会dsh 联合会lhh 社会sh 协会xh 工会gh 学会xh 商会sh 大会dh 展会zh 机会jh 教会jh 议会yh
    长期cq 长度cd 长江cj 长城cc 长途ct 长效cx 长远cy 长寿cs 长短cd 长久cj 长沙cs 长春cc 长治cz 长征cz 长安ca 长乐cl 长白cb 长输cs
    特长tc 专长zc 延长yc 全长qc 周长zc 时长sc 擅长sc
    增长zz 成长cz 生长sz 省长sz 市长sz 州长zz 县长xz 乡长xz 镇长zz 村长cz 部长bz 厅长tz 局长jz 处长cz 科长kz 所长sz 院长yz 会长hz
    校长xz 园长yz 家长jz 河长hz 湖长hz 林长lz 站长zz 队长dz 组长zz 班长bz 首长sz 社长sz 馆长gz 董事长dsz
    西藏xz 青藏qz 川藏cz 汉藏hz 涉藏sz 藏族zz 藏语zy 藏文zw 藏区zq 藏医zy 藏药zy 藏传zc 藏羚zl 藏羊zy 藏毯zt 藏式zs 藏历zl 藏香zx
    藏胞zb 藏戏zx 藏獒za 藏茶zc 藏饰zs 藏寨zz 藏绵羊zmy 宝藏bz
    收藏sc 馆藏gc 储藏cc 冷藏lc 贮藏zc 埋藏mc 蕴藏yc 隐藏yc 典藏dc 矿藏kc
    重复cf 重庆cq 重新cx 重建cj 重组cz 重置cz 重叠cd 重婚ch 重启cq 重名cm 重申cs 重审cs 重构cg 重修cx 重阳cy 重整cz 重塑cs 重播cb
    重印cy 重报cb 重发cf 双重sc 多重dc
    载重zz 体重tz 超重cz 比重bz 严重yz 起重qz 承重cz 权重qz 称重cz 危重wz 贵重gz 轻重qz 加重jz 减重jz 侧重cz 繁重fz 净重jz 毛重mz
    调整tz 调解tj 调节tj 调剂tj 调控tk 调价tj 调处tc 调理tl 调试ts 调停tt 调休tx 调制tz 调味tw 调峰tf 调频tp 调蓄tx 调压ty 调和th
    调适ts 调薪tx 调优ty 协调xt 空调kt 失调st 微调wt 上调st 下调xt
    学校xx 高校gx 院校yx 党校dx 校验jy 校核jh 校准jz 校对jd 校正jz 校勘jk 审校sj 检校jj
    供给gj 补给bj 自给zj 给付jf 给水js 给养jy 给排水jps
    畜牧xm 畜产xc 畜养xy 羊圈yj 牛圈nj 猪圈zj 棚圈pj 圈舍js 圈养jy
    音乐yy 声乐sy 器乐qy 民乐my 乐器yq 乐团yt 乐队yd 乐曲yq
    率先sx 率领sl 表率bs 传记zj 自传zz 弹性tx 弹力tl 反弹ft 厦门xm 关卡gq 奇数js 番禺py 投降tx 给予jy 什么sm
    """
}
