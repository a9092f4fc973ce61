"""`flow.serve()` until it is told to stop."""

import stock

if __name__ == "__main__":
    import sys

    stock.mapped.serve(name=sys.argv[1], print_starting_message=True)
