// research rows HD over plain http.
import { plain } from '../../env/transport.ts';
import { harness } from './one-gateway.ts';
import { gatewayDoor } from './rows/door.ts';
import { gatewayHeaderRows, socketHeaderRows } from './rows/gateway-headers.ts';
import { headerRows } from './rows/headers.ts';

headerRows(() => gatewayDoor(harness), plain);
gatewayHeaderRows(harness, plain);
socketHeaderRows(harness);
