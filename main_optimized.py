"""The launcher: `python main_optimized.py`, or `uvicorn main_optimized:app --host 0.0.0.0 --port 8008`."""

from smc_trading_agent.coordinator import OptimizedTradingCoordinator
from smc_trading_agent.launcher import create_service, main

__all__ = ["OptimizedTradingCoordinator", "app", "main"]

if __name__ == "__main__":
    main()
else:
    app = create_service()
