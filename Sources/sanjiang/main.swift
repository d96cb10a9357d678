import App

await Sanjiang.main()
