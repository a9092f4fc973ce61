"""A flow that reads the API of somebody else with httpx, and knows nothing of a gateway: HTTPS_PROXY is in its environment."""

import httpx
from prefect import flow


@flow(log_prints=True)
def outward(urls: list[str]) -> None:
    for url in urls:
        try:
            response = httpx.get(url, timeout=20)
            print(f"{url} answered {response.status_code} {response.text}")
        except httpx.HTTPError as error:
            print(f"{url} failed: {error}")
    print("outward is through")
