from lictor import main

main()
